# The Debian packages that vprov needs, by purpose, and how to install them. Sourced by the scripts beside it.
# shellcheck shell=bash disable=SC2034

build_packages=(
  g++ cmake ninja-build pkg-config mold
  libarchive-dev libblkid-dev libcli11-dev libcrypt-dev libcurl4-openssl-dev libdeflate-dev libext2fs-dev comerr-dev
  libfmt-dev libkainjow-mustache-dev libncurses-dev libparted-dev libpugixml-dev libseccomp-dev libssl-dev libtomlplusplus-dev
  libgmp-dev nettle-dev nlohmann-json3-dev
)
run_packages=(
  ca-certificates debian-archive-keyring gpgv   # a mirror's certificate, its Release files
  e2fsprogs libparted2                          # mke2fs; partition tables
  btrfs-progs dosfstools mtools xfsprogs        # other file systems
  lvm2 qemu-utils                               # volumes that are made, images that are not raw
  qemu-system-x86 ovmf                          # what the guests run on where there is no Xen; its UEFI
  iproute2 nftables                             # rates of interfaces, and addresses that guests may use
)
test_packages=(
  libgtest-dev python3
  apt dpkg gpg gpg-agent openssl                # archives made for the tests, and apt as the judge of the resolver
  debootstrap mmdebstrap mount uidmap           # trees to compare with
  qemu-user-static                              # another architecture's scripts
  fdisk gdisk                                   # partition tables to look into
  squashfs-tools                                # images to look into
  clang libclang-rt-dev                         # fuzz targets: libFuzzer
  libvirt-clients libxml2-utils openssh-client  # virt-xml-validate, ssh-keygen
  libxen-dev procps util-linux                  # Xen's own parser; what is left running or mounted
)

say() {
  printf '== %s\n' "$*"
}

fail() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# as_root COMMAND...: as it is for root, otherwise through sudo, with the settings for proxies.
as_root() {
  if ((EUID == 0)); then
    "$@"
    return
  fi
  command -v sudo >/dev/null || fail "cannot run '$1' as root: there is no sudo; run this as root"
  local name settings=()
  for name in http_proxy https_proxy ftp_proxy no_proxy all_proxy; do
    if [[ -n ${!name:-} ]]; then
      settings+=("$name=${!name}")
    fi
  done
  sudo env "${settings[@]}" "$@"
}

is_installed() {
  [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# install_packages NAME...: those that are missing, without recommended ones. Shows apt's words only when it fails.
install_packages() {
  local name log missing=()
  for name in "$@"; do
    is_installed "$name" || missing+=("$name")
  done
  if ((${#missing[@]} == 0)); then
    return
  fi
  say "installing ${#missing[@]} packages: ${missing[*]}"
  log=$(mktemp)
  # Another apt, such as the one that runs by itself after the first boot, is waited for.
  if ! { as_root apt-get -qq update &&
         as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends \
           -o DPkg::Lock::Timeout=300 "${missing[@]}"; } >"$log" 2>&1 </dev/null; then
    cat "$log" >&2
    rm -f "$log"
    fail "cannot install ${missing[*]}"
  fi
  rm -f "$log"
}

# build DIRECTORY TARGET CMAKE_ARGUMENT...: configures once (CMake itself notices changes), builds what has changed.
build() {
  local directory=$1 target=$2
  shift 2
  if [[ ! -f $directory/build.ninja ]]; then
    say "configuring $directory"
    cmake -S . -B "$directory" "$@" --log-level=WARNING >/dev/null || return
  fi
  say "building $directory"
  ninja -C "$directory" "$target"
}
