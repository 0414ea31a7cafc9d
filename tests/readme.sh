#!/usr/bin/env bash
# Holds README.md against the program: what it shows is what is printed, what it names is there.
#
#   readme.sh KUBEJOIN [README]
#
# A block that begins with "$ kubejoin COMMAND" is run in tests/readme/ and compared to the letter, if its command needs no cluster.
# The join's own block is a real run, of which only the lines' shape can be compared: its phases must be the plan's.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
kubejoin=$(realpath -e "$1") readme=$(realpath -e "${2:-$here/../README.md}")
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
failed=0 compared=0
complain() {
  echo "readme: $1" >&2
  failed=1
}

# Each fenced block in a file of its own.
awk -v room="$room" '/^```/ { inside = !inside; if (inside) n++; next } inside { print > (room "/" n) }' "$readme"
ln -s "$kubejoin" "$room/kubejoin"

for block in "$room"/[0-9]*; do
  read -r prompt program command rest <"$block"
  [[ $prompt == '$' && $program == kubejoin ]] || continue
  if [[ $command == join && $rest != phase* ]]; then
    diff <(sed -nE 's/^\+ ([a-z-]+) .*/\1/p' "$block") <("$kubejoin" join phase list | awk 'NR > 1 { print $1 }') ||
      complain "the join that is shown does not run the phases of the plan"
  else
    # shellcheck disable=SC2086 # words
    (cd "$here/readme" && "$kubejoin" $command $rest) >"$room/printed" 2>&1 || true
    diff <(tail -n +2 "$block") "$room/printed" || complain "kubejoin $command $rest prints something else"
  fi
  compared=$((compared + 1))
done
((compared >= 3)) || complain "only $compared blocks were compared: the check itself is broken"

# Every make target that is named is one that make help lists.
targets=$(make -s -C "$here/.." help | awk '{ print $1 }')
while read -r target; do
  grep -qx "$target" <<<"$targets" || complain "make $target is no target"
done < <(grep -oE '`make [a-z0-9-]+|^make [a-z0-9-]+' "$readme" | sed 's/.*make //' | sort -u)

# The table of the reference page is the one that its tests print.
diff <(sed -n '/^| | the page says/,$p' "$here/reference/README.md") <("$here/reference/run.sh" --table) >"$room/diff" ||
  { head "$room/diff" >&2 && complain "the table of tests/reference/README.md is not what tests/reference/run.sh --table prints"; }

((!failed)) && echo "readme: $compared blocks, the make targets and the reference page's table are as they are"
exit "$failed"
