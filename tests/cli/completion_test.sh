#!/usr/bin/env bash
# completion_test.sh PROGRAM COMPLETIONS: what bash's completion offers on some command lines.
set -euo pipefail

program=$(realpath "$1")
# shellcheck source=completions/vprov
. "$2"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir -p recipes out/web1 out/other
touch debian1.lock debian1.toml notes.txt recipes/web1.toml mine.cfg out/web1/web1.cfg out/other/disk.cfg

# Lists two domains; everything else is the program's.
cat >fake <<END
#!/bin/sh
if [ "\$1" = list ]; then
  printf 'Name  ID  Mem VCPUs State Time(s)\nalpha  1  512  2  r-----  1.0\nbeta  2  512  2  -b----  2.0\n'
else
  exec "$program" "\$@"
fi
END
chmod +x fake

failures=0

# offers EXPECTED WORD...: the last word is the one that is completed; EXPECTED is sorted.
offers() {
  local expected=$1 found
  shift
  COMP_WORDS=(vprov "$@")
  COMP_CWORD=$#
  COMPREPLY=()
  _vprov "$work/fake" || true
  found=$(printf '%s\n' "${COMPREPLY[@]}" | LC_ALL=C sort | paste -sd' ')
  if [[ $found != "$expected" ]]; then
    printf "'vprov %s' offers '%s', not '%s'\n" "$*" "$found" "$expected"
    failures=$((failures + 1))
  fi
}

offers 'block-attach block-detach block-list bootstrap build' b
offers '--json' --j
offers 'pause plan' --quiet p
offers 'debian1.toml' build d
offers 'debian1.toml out recipes' build ''
offers 'recipes/web1.toml' check recipes/
offers 'debian1.toml' build --launch d
offers '--locked --login-timeout' build --lo
offers '--launch --libvirt --locked --login-timeout' build --l
offers 'xm' build --dialect xm
offers 'debian1.lock out recipes' verify out/web1 ''
offers '' verify --disk ''
offers 'libvirt libvirt-kvm libvirt-qemu libvirt-xen' config --format l
offers 'debian1.toml mine.cfg out recipes' config ''
offers '--verbose --version' build --ver
offers '' build --set ''
offers 'out recipes' autostart stop --save ''
offers 'out recipes' build --output ''
offers 'out' plan -o o
offers 'recipes' plan --output = r
offers 'alpha beta' console ''
offers 'list prune verify' cache ''
offers '' cache prune --max-size ''
offers 'beta' destroy b
offers 'alpha' shutdown --wait a
offers 'beta' save b
offers 'mine.cfg' save beta mi
offers 'mine.cfg' restore mi
offers 'create delete list revert' snapshot ''
offers 'beta' snapshot revert b
offers 'web1' create w
offers 'mine.cfg out recipes web1' create ''
offers 'kvm' create --accel k
offers 'buildd' bootstrap --variant b
offers 'trixie' bootstrap t
offers 'recipes' bootstrap trixie r
exit $((failures > 0))
