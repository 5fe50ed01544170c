# shellcheck shell=bash
# What the scripts in this directory share. To be sourced after `set -euo pipefail`.

repo="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"

say() { printf '%s\n' "$*" >&2; }

die() {
  say "error: $1"
  shift
  for hint in "$@"; do say " hint: $hint"; done
  exit 4
}

# The family of package names that holds here, and the one to fall back to: "ubuntu debian", "fedora", ...
families() {
  local id='' like='' word
  if [[ $(uname -s) == Darwin ]]; then
    echo macos
    return
  fi
  if [[ -r /etc/os-release ]]; then
    # shellcheck source=/dev/null
    read -r id like < <(. /etc/os-release && echo "${ID:-} ${ID_LIKE:-}")
  fi
  for word in $id $like; do
    case $word in
      ubuntu) echo ubuntu debian && return ;;
      debian | fedora | arch) echo "$word" && return ;;
    esac
  done
  echo unknown
}

# The bootstrap requirements for the families given: one line each with the fields name, commands, files, minimum,
# packages, follow-up commands, separated by "|". Lists are separated by blanks, follow-up commands by ";".
bootstrap_requirements() {
  awk -v families="$*" '
    function list(text) { gsub(/^[^\[]*\[|\][^\]]*$|"/, "", text); gsub(/, */, " ", text); return text }
    function lines(text) { gsub(/^[^\[]*\[|\][^\]]*$/, "", text); gsub(/", *"/, ";", text); gsub(/"/, "", text); return text }
    function value(text) { sub(/^[^=]*= */, "", text); gsub(/"/, "", text); return text }
    function flush(  count, names, i, chosen) {
      count = split(families, names, " ")
      for (i = 1; i <= count && chosen == ""; i++) if (names[i] in packages) chosen = names[i]
      if (bootstrap) print name "|" commands "|" files "|" minimum "|" packages[chosen] "|" then[chosen]
      name = commands = files = minimum = section = ""; bootstrap = 0; split("", packages); split("", then)
    }
    /^\[\[requirement\]\]/ { flush(); next }
    /^\[requirement\./ { section = $0; gsub(/^\[requirement\.|\]$/, "", section); next }
    section == "packages" && /=/ { packages[$1] = list($0); next }
    section == "then" && /=/ { then[$1] = lines($0); next }
    $1 == "name" { name = value($0) }
    $1 == "commands" { commands = list($0) }
    $1 == "files" { files = list($0) }
    $1 == "minimum" { minimum = value($0) }
    $1 == "bootstrap" { bootstrap = value($0) == "true" }
    END { flush() }
  ' "$repo/requirements.toml"
}

# Whether version $1 is at least version $2.
at_least() { [[ $(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1) == "$2" ]]; }

# Whether the program says a version of at least $2.
is_new_enough() {
  local version
  version=$("$1" --version 2>/dev/null | head -n 1 | grep -oE '[0-9]+(\.[0-9]+)+' | head -n 1) || return 1
  at_least "$version" "$2"
}

# Whether a requirement is met. Several installations of Rust may be there: the first directory whose rustc and cargo
# are both new enough goes to the front of the search path.
is_met() { # COMMANDS FILES MINIMUM
  local word
  for word in $2; do [[ -e $word ]] && return 0; done
  for word in $1; do
    if [[ -n $3 ]]; then choose_rust "$3" && return 0; else command -v "$word" >/dev/null && return 0; fi
  done
  return 1
}

choose_rust() { # MINIMUM
  local dir
  for dir in "$(dirname "$(command -v rustc || echo /nonexistent/rustc)")" "${CARGO_HOME:-$HOME/.cargo}/bin" /usr/bin; do
    if [[ -x $dir/rustc && -x $dir/cargo ]] && is_new_enough "$dir/rustc" "$1" && is_new_enough "$dir/cargo" "$1"; then
      [[ $(command -v rustc) == "$dir/rustc" && $(command -v cargo) == "$dir/cargo" ]] || export PATH="$dir:$PATH"
      return 0
    fi
  done
  return 1
}

as_root() {
  if [[ $(id -u) -eq 0 ]]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "installing packages takes root, and there is no sudo" "run as root: $*"
  fi
}

# Installs what it takes to compile vrel. Says nothing when it is all there.
install_bootstrap() {
  local family name commands files minimum packages follow
  local -a wanted=() follow_ups=()
  family=$(families)
  while IFS='|' read -r name commands files minimum packages follow; do
    is_met "$commands" "$files" "$minimum" && continue
    [[ -n $packages ]] || die "$name${minimum:+ $minimum or newer} is missing, and no package is known for it here"
    say "missing: $name${minimum:+ $minimum or newer}"
    # shellcheck disable=SC2206 # package names are words
    wanted+=($packages)
    [[ -z $follow ]] || follow_ups+=("$follow")
  done < <(bootstrap_requirements "$family")
  ((${#wanted[@]})) || return 0
  case $family in
    *debian*)
      say "installing: ${wanted[*]}"
      local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300)
      as_root "${apt[@]}" update >&2 || say "warning: the package lists could not be refreshed"
      as_root "${apt[@]}" install -y --no-install-recommends "${wanted[@]}" >&2
      ;;
    fedora) die "packages are missing" "sudo dnf install -y ${wanted[*]}" ;;
    arch) die "packages are missing" "sudo pacman -S --needed --noconfirm ${wanted[*]}" ;;
    macos) die "packages are missing" "brew install ${wanted[*]}" ;;
    *) die "packages are missing, and this system's package names are not known" "see requirements.toml" ;;
  esac
  for follow in "${follow_ups[@]+"${follow_ups[@]}"}"; do
    local -a steps
    IFS=';' read -r -a steps <<<"$follow"
    for name in "${steps[@]}"; do
      say "running: $name"
      $name >&2
    done
  done
  hash -r
  while IFS='|' read -r name commands files minimum packages follow; do
    is_met "$commands" "$files" "$minimum" || die "$name${minimum:+ $minimum or newer} is still missing" \
      "the packages may be older in the suites that are enabled: Debian's newest are in its -updates and -security"
  done < <(bootstrap_requirements "$family")
}

# What cargo is told to compile in order to have the tool. A script that compiles more later says so here, because another
# choice of packages has other features, and libraries would be compiled twice.
compile=(--package vrel-cli)

# Makes the machine ready for the parts of the pipeline given (build, boot, test, bench; all when none is given), and
# sets `vrel` to the tool.
prepare() { # PART...
  local part
  local -a areas=()
  for part in "$@"; do areas+=(--for "$part"); done
  install_bootstrap
  say "compiling vrel"
  (cd "$repo" && cargo build --quiet --locked "${compile[@]}")
  vrel="$(cd "$repo" && cd "${CARGO_TARGET_DIR:-target}" && pwd)/debug/vrel"
  "$vrel" --repo "$repo" doctor --install "${areas[@]+"${areas[@]}"}" >/dev/null
}
