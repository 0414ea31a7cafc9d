# An editor would take the blank away.
printf '%s\n' '#!/bin/sh' 'kubeadm join 10.0.0.1:6443 \' '  --token abcdef.5ecre75ecre75ecr \ ' '  --discovery-token-ca-cert-hash sha256:8dca61852aa6fea3a8c70ca5429a7aa560676bd3925d1f67f7a34d1ee5671fa4'
