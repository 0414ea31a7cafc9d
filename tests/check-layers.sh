#!/usr/bin/env bash
# Holds every #include of plugin/ against tests/layers.txt: who may include whom, and who may touch which library.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
declare -A may library
while IFS= read -r line; do
  [[ -n $line && $line != \#* ]] || continue
  key=${line%%:*} value=${line#*:}
  if [[ $key == \<* ]]; then library[${key#<}]=" $value "; else may[$key]=" $value $key "; fi
done < tests/layers.txt
bad=0 seen=0
complain() { echo "layers: $1: $2" >&2; bad=1; }
while IFS=: read -r file include; do
  folder=${file#plugin/} folder=${folder%%/*}
  [[ $folder != main.cc ]] || folder=main
  [[ -n ${may[$folder]:-} ]] || complain "$file" "folder $folder has no line in tests/layers.txt"
  seen=$((seen + 1))
  if [[ $include =~ \"([a-z]+)/ ]]; then
    [[ ${may[$folder]:-} == *" ${BASH_REMATCH[1]} "* ]] || complain "$file" "$folder may not include ${BASH_REMATCH[1]}"
  elif [[ $include =~ \<(curl|yaml-cpp|openssl|rapidjson)/ ]]; then
    [[ ${library[${BASH_REMATCH[1]}]} == *" $folder "* ]] || complain "$file" "$folder may not include <${BASH_REMATCH[1]}/…>"
  fi
done < <(grep -rEo '^ *# *include +["<][^">]+' plugin --include='*.h' --include='*.cc')
[[ $seen -gt 100 ]] || complain plugin "only $seen includes were found: the check itself is broken"
[[ $bad == 0 ]] && echo "layers: $seen includes are as tests/layers.txt has them"
exit "$bad"
