printf 'apiVersion: kubeadm.k8s.io/v1beta4\nkind: JoinConfiguration\ndiscovery: %s\n' "$(printf '[%.0s' {1..100})"
