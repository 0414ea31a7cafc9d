# Is this machine fit: every check under kubeadm's name, all told at once, ignored by name.
# shellcheck shell=bash disable=SC2034,SC2154 # run.sh sources lib.sh before

ignored_checks() { # S33
  machine
  on install -D -m 644 /dev/null /etc/kubernetes/pki/ca.crt
  on install -m 644 /dev/null /etc/kubernetes/kubelet.conf
  join "${pinned[@]}"
  fails 78 preflight.failed
  says "[ERROR FileAvailable--etc-kubernetes-kubelet.conf]"
  says "[ERROR FileAvailable--etc-kubernetes-pki-ca.crt]"
  trial "${pinned[@]}" --ignore-preflight-errors=fileavailable--etc-kubernetes-KUBELET.conf
  fails 78 preflight.FileAvailable--etc-kubernetes-pki-ca.crt
  trial "${pinned[@]}" --ignore-preflight-errors=FileAvailable--etc-kubernetes-kubelet.conf,Swap --ignore-preflight-errors FileAvailable--etc-kubernetes-pki-ca.crt
  succeeds
  says "[preflight.FileAvailable--etc-kubernetes-kubelet.conf]"
  trial "${pinned[@]}" --ignore-preflight-errors all
  succeeds
  join "${pinned[@]}" --ignore-preflight-errors all,Swap
  fails 65 config.ignore-preflight
  document <<<'nodeRegistration: {ignorePreflightErrors: [all]}'
  trial --config "$work/join.yaml"
  succeeds
}

# spoil: makes everything wrong with the machine that a test can make wrong. Programs are looked for in /run/only.
spoil() {
  on bash -c '
    mkdir -p /etc/kubernetes/pki /etc/kubernetes/manifests /run/systemd/system /run/only
    touch /etc/kubernetes/{kubelet.conf,bootstrap-kubelet.conf,pki/ca.crt,manifests/etcd.yaml}
    rm -f /usr/lib/systemd/system/kubelet.service'
  $IN_CLUSTER sysctl -qw net.ipv4.ip_forward=0
  later $IN_CLUSTER sysctl -qw net.ipv4.ip_forward=1
  serve 10250 "$work/site"
}

every_check() { # +
  machine
  spoil
  run env PATH=/run/only "$KUBEJOIN" join "${pinned[@]}" --cri-socket /run/none.sock --node-name nowhere-to-be-found
  fails 78 preflight.failed
  # Nobody tells a release here, no cluster and no kubelet, so that the checks are a current one's.
  local check
  for check in FileAvailable--etc-kubernetes-kubelet.conf FileAvailable--etc-kubernetes-bootstrap-kubelet.conf FileAvailable--etc-kubernetes-pki-ca.crt CRI \
    FileContent--proc-sys-net-ipv4-ip_forward FileExisting-mount FileExisting-losetup FileExisting-cp KubeletVersion Port-10250; do
    says "[ERROR $check]"
  done
  for check in Hostname Service-kubelet; do says "[preflight.$check]"; done
  run env PATH=/run/only "$KUBEJOIN" join phase preflight "${pinned[@]}" --cri-socket /run/none.sock --ignore-preflight-errors all
  succeeds
}

# names: the checks that were not passed, of kubeadm's output or of ours in its place.
names() { grep -oE '\[(ERROR|WARNING) [A-Za-z0-9_.-]+\]' <<<"$out" | tr -d '[]' | sort -u; }

# deliberately: kubeadm's names with those that kubejoin tells in another way on purpose:
# - A runtime that does not answer is told once, as CRI; kubeadm 1.37 tells it as ContainerRuntimeVersion, too, which is for one that is too old.
# - kubeadm 1.20 asks a runtime by crictl and not at all without one; kubejoin asks by itself, so that crictl is for people alone.
deliberately() {
  case $RELEASE in
    1.37) sed '/^ERROR ContainerRuntimeVersion$/d' ;;
    1.20) sed 's/^ERROR FileExisting-crictl$/WARNING FileExisting-crictl/; $a ERROR CRI' ;;
  esac | sort -u
}

# same_checks WHAT COMMAND-PREFIX… -- ARGUMENTS…: of the preflight phase on this machine as it is; a difference is listed.
same_checks() {
  local what=$1 prefix=()
  shift
  while [[ $1 != -- ]]; do prefix+=("$1") && shift; done
  shift
  run "${prefix[@]}" "$BIN/kubeadm" join phase preflight "$@"
  names | deliberately >"$work/kubeadms"
  [[ -s $work/kubeadms ]] || fail "kubeadm says nothing of $what"
  run "${prefix[@]}" "$work/kubeadm" join phase preflight "$@"
  names >"$work/ours"
  out=$(diff "$work/kubeadms" "$work/ours") || fail "the checks differ $what (< kubeadm's, > ours)"
}

same_checks_as_kubeadm() { # +
  machine
  ln -s "$KUBEJOIN" "$work/kubeadm"
  # kubeadm takes a systemctl for a systemd that runs, kubejoin asks whether one does.
  on mkdir -p /run/systemd/system
  [[ $RELEASE == 1.20 ]] || same_checks 'on a machine that joins' env -- "${pinned[@]}"
  spoil
  on ln -s /usr/bin/kubelet /run/only/kubelet
  on ln -s /usr/bin/systemctl /run/only/systemctl
  on ln -s /usr/bin/uname /run/only/uname # by which kubeadm 1.20 asks for the kernel
  same_checks 'on a machine where all is wrong' env PATH=/run/only -- "${pinned[@]}" --cri-socket /run/none.sock --node-name nowhere-to-be-found
}
