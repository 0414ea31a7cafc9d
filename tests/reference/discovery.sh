# Whom to trust: token, pin, file, HTTPS, and a cluster that has closed cluster-info.
# shellcheck shell=bash disable=SC2034,SC2154 # run.sh sources lib.sh before

readonly no_pin=sha256:0000000000000000000000000000000000000000000000000000000000000000

# ---- the forms ----

two_schemes() { # S4
  machine
  trial "${pinned[@]}"
  succeeds
  kubeconfig "$work/file.conf"
  trial --discovery-file "$work/file.conf" --tls-bootstrap-token "$TOKEN"
  succeeds
}

token_and_address() { # S5 S28 S38 S63
  machine
  audit
  trial "$APISERVER" --discovery-token "$TOKEN" --discovery-token-ca-cert-hash "$PIN"
  succeeds
  must "cluster-info is read by nobody in particular" until_true 20 asked '^system:anonymous get /api/v1/namespaces/kube-public/configmaps/cluster-info[^ ]* 200$'
  must_not "cluster-info is read with the token" asked '^system:bootstrap:.*/kube-public/'
}

three_forms() { # S8
  machine
  trial --discovery-token "$TOKEN" "$APISERVER" --discovery-token-ca-cert-hash "$PIN"
  succeeds
  kubeconfig "$work/file.conf" "token: $TOKEN"
  trial --discovery-file "$work/file.conf"
  succeeds
  authority host-ca
  certificate web "$work/host-ca"
  mkdir "$work/site"
  cp "$work/file.conf" "$work/site/file.conf"
  serve 8443 "$work/site" web
  run env SSL_CERT_FILE="$work/host-ca.crt" "$KUBEJOIN" join phase cluster-config --discovery-file https://127.0.0.1:8443/file.conf
  succeeds
}

one_form_only() { # S9
  machine
  kubeconfig "$work/file.conf"
  audit
  join "${pinned[@]}" --discovery-file "$work/file.conf"
  fails 65 config.discovery-both
  as_kubeadm join "${pinned[@]}" --discovery-file "$work/file.conf"
  fails 1 config.discovery-both
  says "bootstrapToken and file cannot both be set"
  join --discovery-file "$work/file.conf" --discovery-token-ca-cert-hash "$PIN" "$APISERVER"
  fails 65 config.discovery-both
  join
  fails 65 config.discovery-missing
  nothing_is_left
  must_not "the API server was asked" asked .
}

# ---- file and HTTPS ----

file_is_a_subset() { # S6
  machine
  printf 'apiVersion: v1\nkind: Config\nclusters:\n- {name: "", cluster: {server: "https://%s", certificate-authority-data: %s}}\n' "$APISERVER" "$(base64 -w0 "$CA")" >"$work/subset.conf"
  trial --discovery-file "$work/subset.conf" --tls-bootstrap-token "$TOKEN"
  succeeds
  join --discovery-file "$work/subset.conf"
  fails 65 discovery.no-credentials
  nothing_is_left
}

file_or_url() { # S7 S27
  machine
  kubeconfig "$work/file.conf" "token: $TOKEN"
  trial --discovery-file "$work/file.conf"
  succeeds
  trial --discovery-file "file://$work/file.conf"
  succeeds
  run bash -c 'cd "$1" && "$2" join phase cluster-config --discovery-file file.conf' _ "$work" "$KUBEJOIN"
  succeeds
  authority host-ca
  certificate web "$work/host-ca"
  mkdir "$work/site"
  cp "$work/file.conf" "$work/site/file.conf"
  serve 8443 "$work/site" web
  run env SSL_CERT_FILE="$work/host-ca.crt" "$KUBEJOIN" join phase cluster-config --discovery-file https://localhost:8443/file.conf
  succeeds
  join --discovery-file "$work/absent.conf"
  [[ $status != 0 ]] || fail "an absent file is no error"
  nothing_is_left
}

file_with_credentials() { # +
  machine
  # A client certificate of the group that kubeadm gives its tokens; by path beside the file, and embedded.
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/O=system:bootstrappers:kubeadm:default-node-token/CN=joiner" -keyout "$work/joiner.key" -out "$work/joiner.csr" 2>/dev/null
  openssl x509 -req -in "$work/joiner.csr" -CA "$CA" -CAkey "$CP/pki/ca.key" -CAcreateserial -CAserial "$work/serial" -days 2 -out "$work/joiner.crt" 2>/dev/null
  kubeconfig "$work/file.conf" "client-certificate: joiner.crt, client-key: joiner.key"
  audit
  run "$KUBEJOIN" join phase tls-bootstrap --discovery-file "$work/file.conf"
  succeeds
  must "its certificate asks for the node's" until_true 5 test "$(csr | jq -r .spec.username)" = joiner
  renew
  kubeconfig "$work/file.conf" "client-certificate-data: $(base64 -w0 "$work/joiner.crt"), client-key-data: $(base64 -w0 "$work/joiner.key")"
  trial --discovery-file "$work/file.conf"
  succeeds
  # A token of the file, beside it in a file, and the flag that beats both.
  printf '%s\n' "$TOKEN" >"$work/token"
  kubeconfig "$work/file.conf" "tokenFile: token"
  trial --discovery-file "$work/file.conf"
  succeeds
  kubeconfig "$work/file.conf" "token: zzzzzz.0000000000000000"
  trial --discovery-file "$work/file.conf"
  fails 77 cluster.unauthorized
  trial --discovery-file "$work/file.conf" --token "$TOKEN"
  succeeds
  # Whose credentials come from a program is told so.
  kubeconfig "$work/file.conf" "exec: {apiVersion: client.authentication.k8s.io/v1, command: cat}"
  trial --discovery-file "$work/file.conf"
  fails 65 discovery.exec
}

https_only() { # S10
  machine
  mkdir "$work/site"
  kubeconfig "$work/site/file.conf" "token: $TOKEN"
  serve 8080 "$work/site"
  join --discovery-file http://127.0.0.1:8080/file.conf
  fails 65 config.kubeconfig-path
  says "the scheme must be https"
  authority host-ca
  certificate web "$work/host-ca"
  cp -r "$work/site" "$work/tls"
  serve 8443 "$work/tls" web
  run env SSL_CERT_FILE="$work/host-ca.crt" "$KUBEJOIN" join --discovery-file https://127.0.0.1:8443/redirect/http://127.0.0.1:8080/file.conf
  [[ $status == 76 ]] || fail "a redirect to http ends with $status instead of 76"
  must_not "the plain server was asked: $(cat "$work/site.log")" test -s "$work/site.log"
  run env SSL_CERT_FILE="$work/host-ca.crt" "$KUBEJOIN" join phase cluster-config --discovery-file https://127.0.0.1:8443/redirect/https://127.0.0.1:8443/file.conf
  succeeds
  nothing_is_left
}

host_ca_bundle() { # S11
  machine
  authority host-ca
  certificate web "$work/host-ca"
  mkdir "$work/site"
  kubeconfig "$work/site/file.conf" "token: $TOKEN"
  serve 8443 "$work/site" web
  local url=https://127.0.0.1:8443/file.conf bundle
  trial --discovery-file "$url"
  [[ $status == 76 ]] || fail "a server that the host does not know ends with $status instead of 76"
  must_not "it was asked before it was verified" test -s "$work/site.log"
  # Debian and Arch, Red Hat, SUSE, Alpine.
  on rm -rf /etc/ssl/certs/ca-certificates.crt /etc/ssl/cert.pem
  for bundle in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem /etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem /etc/ssl/cert.pem; do
    on install -D -m 644 "$work/host-ca.crt" "$bundle"
    trial --discovery-file "$url"
    [[ $status == 0 ]] || fail "the bundle $bundle is not found"
    on rm "$bundle"
  done
  run env SSL_CERT_FILE="$work/host-ca.crt" "$KUBEJOIN" join phase cluster-config --discovery-file "$url"
  succeeds
  # The name counts, too: the certificate is for 127.0.0.1 and localhost.
  run env SSL_CERT_FILE="$work/host-ca.crt" "$KUBEJOIN" join phase discovery --discovery-file https://127.0.0.2:8443/file.conf
  [[ $status != 0 ]] || fail "a certificate for another name is taken"
}

https_answers() { # +
  machine
  authority host-ca
  certificate web "$work/host-ca"
  mkdir "$work/site"
  kubeconfig "$work/site/references.conf" "tokenFile: /etc/hostname"
  serve 8443 "$work/site" web
  local -A ids=([status/404]=http.not-found [big]=http.too-large [references.conf]=discovery.file-reference)
  local path began
  for path in "${!ids[@]}"; do
    began=$SECONDS
    run env SSL_CERT_FILE="$work/host-ca.crt" "$KUBEJOIN" join --discovery-file "https://127.0.0.1:8443/$path"
    [[ $status != 0 ]] || fail "$path is no error"
    says "[${ids[$path]}]"
    ((SECONDS - began < 10)) || fail "$path takes $((SECONDS - began)) s"
  done
  document <<<'timeouts: {discovery: 2s}'
  sed -i "s#  bootstrapToken: .*#  file: {kubeConfigPath: https://127.0.0.1:8443/slow}#" "$work/join.yaml"
  began=$SECONDS
  run env SSL_CERT_FILE="$work/host-ca.crt" "$KUBEJOIN" join --config "$work/join.yaml"
  [[ $status == 69 ]] || fail "a server that does not answer ends with $status instead of 69"
  ((SECONDS - began < 25)) || fail "a server that does not answer takes $((SECONDS - began)) s"
  nothing_is_left
}

# ---- pins ----

pin_is_mandatory() { # S12 S47
  machine
  audit
  join "$APISERVER" --token "$TOKEN"
  fails 65 config.pins-missing
  says "--discovery-token-unsafe-skip-ca-verification"
  must_not "the API server was asked" asked .
  nothing_is_left
  trial "${pinned[@]}"
  succeeds
}

pin_syntax() { # S13 S49
  machine
  audit
  local pin
  for pin in "${PIN#*:}" "md5:${PIN#*:}" sha256:8d "${PIN}00" "$PIN:$PIN" "sha256:zz${PIN:9}" "sha512:${PIN#*:}"; do
    join "$APISERVER" --token "$TOKEN" --discovery-token-ca-cert-hash "$pin"
    fails 65 config.pin
  done
  must_not "the API server was asked" asked .
  nothing_is_left
}

pin_is_over_the_spki() { # S14
  machine
  local spki
  spki=$(openssl x509 -in "$CA" -noout -pubkey | openssl pkey -pubin -outform DER | sha256sum | cut -d' ' -f1)
  trial "$APISERVER" --token "$TOKEN" --discovery-token-ca-cert-hash "sha256:$spki"
  succeeds
  # Not over the certificate.
  trial "$APISERVER" --token "$TOKEN" --discovery-token-ca-cert-hash "sha256:$(openssl x509 -in "$CA" -outform DER | sha256sum | cut -d' ' -f1)"
  fails 76 discovery.pin-mismatch
}

pin_in_either_case() { # S15
  machine
  trial "$APISERVER" --token "$TOKEN" --discovery-token-ca-cert-hash "sha256:$(tr a-f A-F <<<"${PIN#*:}")"
  succeeds
  trial "$APISERVER" --token "$TOKEN" --discovery-token-ca-cert-hash "SHA256:${PIN#*:}"
  succeeds
}

several_pins() { # S16
  machine
  trial "$APISERVER" --token "$TOKEN" --discovery-token-ca-cert-hash "$no_pin" --discovery-token-ca-cert-hash "$PIN"
  succeeds
  trial "$APISERVER" --token "$TOKEN" --discovery-token-ca-cert-hash "$PIN" --discovery-token-ca-cert-hash "$no_pin"
  succeeds
  trial "$APISERVER" --token "$TOKEN" --discovery-token-ca-cert-hash "$no_pin" --discovery-token-ca-cert-hash "${no_pin/0/1}"
  fails 76 discovery.pin-mismatch
}

pin_list() { # S29
  machine
  trial "$APISERVER" --token "$TOKEN" --discovery-token-ca-cert-hash "$no_pin,$PIN"
  succeeds
  trial "$APISERVER" --token "$TOKEN" --discovery-token-ca-cert-hash "\"$no_pin\",\"$PIN\""
  succeeds
  trial "$APISERVER" --token "$TOKEN" --discovery-token-ca-cert-hash="$no_pin" --discovery-token-ca-cert-hash="${no_pin/0/1},$PIN"
  succeeds
  trial "$APISERVER" --token "$TOKEN" --discovery-token-ca-cert-hash "\"$PIN"
  [[ $status == 64 ]] || fail "an open quote ends with $status instead of 64"
}

unsafe_skips_the_pin() { # S17 S18 S55
  machine
  trial "$APISERVER" --token "$TOKEN" --discovery-token-unsafe-skip-ca-verification
  succeeds
  says "impersonate"
  says "[config.unsafe]"
  # Pins beside the flag are kept.
  trial "${pinned[@]}" --discovery-token-unsafe-skip-ca-verification
  succeeds
  trial "$APISERVER" --token "$TOKEN" --discovery-token-unsafe-skip-ca-verification --discovery-token-ca-cert-hash "$no_pin"
  fails 76 discovery.pin-mismatch
}

unsafe_is_a_bool() { # S30
  machine
  trial "$APISERVER" --token "$TOKEN" --discovery-token-unsafe-skip-ca-verification=true
  succeeds
  join "$APISERVER" --token "$TOKEN" --discovery-token-unsafe-skip-ca-verification=false
  fails 65 config.pins-missing
  join "$APISERVER" --token "$TOKEN" --discovery-token-unsafe-skip-ca-verification=perhaps
  fails 64 usage.not-a-bool
}

printed_join_command() { # S50
  machine
  local line
  line=$(real_kubeadm token create --print-join-command --kubeconfig "$KUBECONFIG" 2>/dev/null)
  local id=${line#*--token }
  id=${id%%.*}
  later kubectl -n kube-system delete secret "bootstrap-token-$id" --wait=false
  [[ $line == 'kubeadm join '*' --discovery-token-ca-cert-hash sha256:'* ]] || fail "kubeadm prints another line: $line"
  ln -s "$KUBEJOIN" "$work/kubeadm"
  must "the token is signed for" until_true 40 is_signed "$id"
  run env "PATH=$work:/usr/bin:/usr/sbin" bash -c "${line/kubeadm join/kubeadm join phase cluster-config}"
  succeeds
}

openssl_pipeline() { # S51
  machine
  mkdir "$work/pki"
  local page hash
  # shellcheck disable=SC2016
  page='openssl x509 -pubkey -in /etc/kubernetes/pki/ca.crt | openssl rsa -pubin -outform der 2>/dev/null | openssl dgst -sha256 -hex | sed '"'s/^.* //'"
  hash=$(bash -c "${page//\/etc\/kubernetes\/pki\/ca.crt/$CA}")
  trial "$APISERVER" --token "$TOKEN" --discovery-token-ca-cert-hash "sha256:$hash"
  succeeds
}

pinned_example() { # S52
  machine
  as_kubeadm join phase cluster-config --discovery-token "$TOKEN" --discovery-token-ca-cert-hash "$PIN" "$APISERVER"
  succeeds
}

unpinned_example() { # S56
  machine
  as_kubeadm join phase cluster-config --token "$TOKEN" --discovery-token-unsafe-skip-ca-verification "$APISERVER"
  succeeds
}

# ---- what is verified ----

three_checks() { # S39 S48
  machine
  trial "$APISERVER" --token "${TOKEN%.*}.aaaaaaaaaaaaaaaa" --discovery-token-ca-cert-hash "$PIN"
  fails 76 discovery.jws-mismatch
  trial "$APISERVER" --token "$TOKEN" --discovery-token-ca-cert-hash "$no_pin"
  fails 76 discovery.pin-mismatch
  # The true cluster-info, signed and pinned, from a server whose certificate another CA has signed.
  authority other
  certificate impostor "$work/other"
  lay_cluster_info
  serve 7443 "$work/site" impostor
  join 127.0.0.1:7443 --token "$TOKEN" --discovery-token-ca-cert-hash "$PIN"
  [[ $status == 76 ]] || fail "a server of another CA ends with $status instead of 76"
  must_not "the token was sent to a server of another CA" grep -q authorized "$work/site.log"
  must "it was asked for cluster-info alone" test "$(wc -l <"$work/site.log")" = 1
  nothing_is_left
}

# The cluster's own, below $work/site; text and signature can be changed by a jq program.
lay_cluster_info() {
  mkdir -p "$work/site/api/v1/namespaces/kube-public/configmaps"
  cluster_info | jq "${1:-.}" >"$work/site/api/v1/namespaces/kube-public/configmaps/cluster-info"
}

hmac_with_the_token() { # S54
  machine
  # It has a certificate of the cluster's CA, so that the signature alone decides.
  certificate twin "$CP/pki/ca"
  lay_cluster_info
  serve 7443 "$work/site" twin
  local unsafe=(127.0.0.1:7443 --token "$TOKEN" --discovery-token-unsafe-skip-ca-verification) key=jws-kubeconfig-${TOKEN%.*} text signature
  run "$KUBEJOIN" join phase discovery "${unsafe[@]}"
  succeeds
  lay_cluster_info '.data.kubeconfig += "\n"'
  run "$KUBEJOIN" join phase discovery "${unsafe[@]}"
  fails 76 discovery.jws-mismatch
  lay_cluster_info ".data[\"$key\"] += \"A\""
  run "$KUBEJOIN" join phase discovery "${unsafe[@]}"
  fails 76 discovery.jws-mismatch
  # Text of our own, signed as RFC 7515 says: with HMAC-SHA256 it holds, with any other algorithm or key it does not.
  text=$(cluster_info | jq -r .data.kubeconfig)$'\n# ours\n'
  local algorithm hash password wanted
  while read -r algorithm hash password wanted; do
    signature=$(SIGNED=$text python3 - "$algorithm" "$hash" "$password" "${TOKEN%.*}" <<'PYTHON'
import base64, hmac, json, os, sys
b64 = lambda b: base64.urlsafe_b64encode(b).rstrip(b"=").decode()
header = b64(json.dumps({"alg": sys.argv[1], "kid": sys.argv[4]}, separators=(",", ":")).encode())
mac = b64(hmac.digest(sys.argv[3].encode(), (header + "." + b64(os.environ["SIGNED"].encode())).encode(), sys.argv[2]))
print(header + ".." + (mac if sys.argv[1] != "none" else ""))
PYTHON
    )
    lay_cluster_info ".data = {kubeconfig: $(jq -Rs . <<<"$text" | sed 's/\\n"$/"/'), \"$key\": \"$signature\"}"
    run "$KUBEJOIN" join phase discovery "${unsafe[@]}"
    if [[ $wanted == holds ]]; then succeeds; else fails 76 discovery.jws-mismatch; fi
  done <<TABLE
HS256 sha256 $secret holds
HS512 sha512 $secret refused
none sha256 $secret refused
HS256 sha256 $TOKEN refused
TABLE
}

ca_from_file_or_url() { # S40
  machine
  # The file's CA is what is trusted: with another one the true server is refused, before any credential is sent.
  authority other
  kubeconfig "$work/file.conf" "token: $TOKEN"
  sed -i "s/certificate-authority-data: .*}/certificate-authority-data: $(base64 -w0 "$work/other.crt")}/" "$work/file.conf"
  audit
  join --discovery-file "$work/file.conf"
  [[ $status == 76 ]] || fail "another CA ends with $status instead of 76"
  must_not "the API server was asked" asked .
  # By path, relative to the file.
  cp "$CA" "$work/cluster-ca.crt"
  sed -i 's/certificate-authority-data: .*}/certificate-authority: cluster-ca.crt}/' "$work/file.conf"
  run "$KUBEJOIN" join phase tls-bootstrap --discovery-file "$work/file.conf"
  succeeds
  must "the file's CA is on disk" cmp -s "$files/etc-kubernetes/pki/ca.crt" "$CA"
}

# ---- tokens ----

tls_bootstrap_token() { # S22 S35
  machine
  token signin 1111111111111111 signing
  token authen 2222222222222222 authentication
  audit
  trial "$APISERVER" --discovery-token signin.1111111111111111 --tls-bootstrap-token authen.2222222222222222 --discovery-token-ca-cert-hash "$PIN"
  succeeds
  must "the cluster is asked as the second token" until_true 20 asked '^system:bootstrap:authen get .*kubeadm-config.* 200$'
  trial "$APISERVER" --token "$TOKEN" --discovery-token signin.1111111111111111 --tls-bootstrap-token authen.2222222222222222 --discovery-token-ca-cert-hash "$PIN"
  succeeds
  must_not "--token was used where another was given" asked "^system:bootstrap:${TOKEN%.*} "
}

token_fills_what_is_empty() { # S23 S36
  machine
  token signin 1111111111111111 signing
  token authen 2222222222222222 authentication
  audit
  trial "$APISERVER" --token authen.2222222222222222 --discovery-token signin.1111111111111111 --discovery-token-ca-cert-hash "$PIN"
  succeeds
  must "--token authenticates" until_true 20 asked '^system:bootstrap:authen .* 200$'
  trial "$APISERVER" --token signin.1111111111111111 --tls-bootstrap-token authen.2222222222222222 --discovery-token-ca-cert-hash "$PIN"
  succeeds
  kubeconfig "$work/file.conf"
  trial --discovery-file "$work/file.conf" --token "$TOKEN"
  succeeds
}

# ---- cluster-info that is closed ----

closed_cluster_info() { # S64
  machine
  without -n kube-public rolebinding kubeadm:bootstrap-signer-clusterinfo
  document <<<'timeouts: {discovery: 2s}'
  join --config "$work/join.yaml"
  fails 77 discovery.cluster-info-closed
  says "--discovery-file"
  nothing_is_left
}

extracted_cluster_info() { # S65
  machine
  (
    cd "$work" || exit
    kubectl -n kube-public get cm cluster-info -o yaml | grep "kubeconfig:" -A11 | grep "apiVersion" -A10 | sed "s/    //" | tee cluster-info.yaml
  ) >/dev/null
  out=$(<"$work/cluster-info.yaml")
  says 'name: ""'
  # The page counts lines. A cluster of today writes one less (no `preferences: {}`), so that a line of the ConfigMap itself comes along;
  # kubectl of old shows managedFields, of which its grep takes a piece too.
  local more=(-e '/^kind: ConfigMap$/d') seen='kind: ConfigMap'
  [[ $RELEASE != 1.20 ]] || more=(-e '/^--$/,$d') seen='f:data:'
  says "$seen"
  trial --discovery-file "$work/cluster-info.yaml" --tls-bootstrap-token "$TOKEN"
  [[ $status == 65 ]] || fail "a kubeconfig with more behind it ends with $status instead of 65"
  says cluster-info.yaml
  sed -i "${more[@]}" "$work/cluster-info.yaml"
  trial --discovery-file "$work/cluster-info.yaml" --tls-bootstrap-token "$TOKEN"
  succeeds
  # The page's own form, to the letter.
  cat >"$work/cluster-info.yaml" <<YAML
apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: $(base64 -w0 "$CA")
    server: https://$APISERVER
  name: ""
contexts: []
current-context: ""
kind: Config
preferences: {}
users: []
YAML
  trial --discovery-file "$work/cluster-info.yaml" --tls-bootstrap-token "$TOKEN"
  succeeds
}

file_when_closed() { # S66
  machine
  kubeconfig "$work/file.conf"
  without -n kube-public rolebinding kubeadm:bootstrap-signer-clusterinfo
  audit
  trial --discovery-file "$work/file.conf" --tls-bootstrap-token "$TOKEN"
  succeeds
  must "cluster-info is refused to the public" until_true 20 asked '^system:anonymous get .*cluster-info.* 403$'
}
