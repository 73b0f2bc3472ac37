# A machine with a real systemd, for tests: source this file, do not run it.
#
#   machine_can            says nothing if it can boot one here, else why not, and fails
#   machine_root DIR       makes a root of Debian bookworm at DIR, unless it is there
#   machine_boot DIR LOG   boots it; what it changes is gone when it stops; waits until it runs
#   machine COMMAND...     runs a command in it
#   machine_put FILE PATH [MODE]  copies a file into it
#   machine_net COMMAND... runs a command of this host in its network
#   machine_stop           ends it; also when the shell ends, if `trap machine_stop EXIT` is set
#
# It has a network of its own, with nothing but `lo`. Packages that a test needs beyond these are
# put into a root of the test's own: MACHINE_PACKAGES is read by `machine_root`.

MACHINE_PACKAGES=${MACHINE_PACKAGES:-systemd,systemd-sysv,dbus,curl,iproute2,procps,ca-certificates}
# The process of systemd-nspawn, and the init that it started.
MACHINE_PID= MACHINE_LEADER=

machine_can() {
  [ "$(id -u)" = 0 ] || { echo "not root"; return 1; }
  local tool
  for tool in systemd-nspawn nsenter mmdebstrap; do
    command -v "$tool" >/dev/null || { echo "no $tool"; return 1; }
  done
  # A container without CAP_SYS_ADMIN is root, and can make no namespace.
  unshare --mount --pid --net --fork true 2>/dev/null || { echo "no namespaces: CAP_SYS_ADMIN is missing"; return 1; }
}

machine_root() {
  # One of other packages is another, and half of one is none.
  [ "$(cat "$1/etc/visnyk-test-packages" 2>/dev/null)" = "$MACHINE_PACKAGES" ] && return
  rm -rf "$1.part"
  mmdebstrap --quiet --variant=minbase --include="$MACHINE_PACKAGES" bookworm "$1.part"
  echo "$MACHINE_PACKAGES" >"$1.part/etc/visnyk-test-packages"
  rm -rf "$1"
  mv "$1.part" "$1"
}

machine_boot() {
  local root=$1 log=$2 state
  SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 systemd-nspawn --quiet --directory="$root" \
    --volatile=overlay --register=no --keep-unit --private-network --link-journal=no \
    --machine="visnyk-test-$$" --boot --console=pipe </dev/null >"$log" 2>&1 &
  MACHINE_PID=$!
  for _ in $(seq 300); do
    if ! kill -0 "$MACHINE_PID" 2>/dev/null; then
      echo "the machine did not boot:" >&2
      cat "$log" >&2
      return 1
    fi
    MACHINE_LEADER=$(pgrep -P "$MACHINE_PID" | head -1 || true)
    state=$([ -n "$MACHINE_LEADER" ] && machine systemctl is-system-running 2>/dev/null || true)
    case $state in running | degraded) return ;; esac
    sleep 0.2
  done
  echo "the machine was not up within a minute: ${state:-no answer}" >&2
  cat "$log" >&2
  return 1
}

machine() { nsenter --target "$MACHINE_LEADER" --all "$@" </dev/null; }

machine_net() { nsenter --target "$MACHINE_LEADER" --net "$@"; }

machine_put() {
  # Through the machine, so that no link in it leads out of it.
  nsenter --target "$MACHINE_LEADER" --all sh -c \
    'mkdir -p "$(dirname "$1")" && cat >"$1" && chmod "$2" "$1"' sh "$2" "${3:-644}" <"$1"
}

machine_stop() {
  [ -n "$MACHINE_PID" ] || return 0
  if kill -0 "$MACHINE_PID" 2>/dev/null; then
    # In its order first, and then at once.
    timeout 20 nsenter --target "$MACHINE_LEADER" --all systemctl poweroff --force </dev/null >/dev/null 2>&1 || true
    for _ in $(seq 50); do
      kill -0 "$MACHINE_PID" 2>/dev/null || break
      sleep 0.2
    done
    kill -KILL "$MACHINE_LEADER" 2>/dev/null || true
    kill -TERM "$MACHINE_PID" 2>/dev/null || true
  fi
  wait "$MACHINE_PID" 2>/dev/null || true
  MACHINE_PID= MACHINE_LEADER=
}
