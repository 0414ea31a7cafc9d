# A script that writes its document first.
cat <<'SCRIPT'
#!/bin/bash
set -euo pipefail
cat <<EOF | sudo tee /etc/kubernetes/join.yaml >/dev/null
apiVersion: kubeadm.k8s.io/v1beta4
kind: JoinConfiguration
discovery:
  bootstrapToken:
    token: ${TOKEN}
    apiServerEndpoint: 10.0.0.1
    caCertHash: ["sha256:${HASH}"]
nodeRegistration:
  name: "$(hostname)"
EOF
sudo kubeadm join --config /etc/kubernetes/join.yaml --token "$TOKEN"
SCRIPT
