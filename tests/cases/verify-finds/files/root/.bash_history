ls
kubeadm join --token q7w3fz.5kd0c8x2m6n1v9b4 10.0.0.1:6443
