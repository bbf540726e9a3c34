#!/bin/bash
# Test hosts with real systemd: systemd-nspawn on overlayfs, each host in its own
# mount, network and pid namespace and its own cgroups, joined by a private bridge.
# State lives under $RIG (default: steward-rig in the folder for temporary files). Needs root,
# systemd-container, iproute2, util-linux; create-base needs mmdebstrap; the proxy for apt and npm needs
# a Node ($NODE, default: node); net cut between two hosts needs nftables; --ext4 needs e2fsprogs.
# $IMAGES (what create-base makes) and $CACHE (packages that the proxy fetched) may be shared by several
# rigs and default to folders in $RIG; $PROXY_ALLOW: regex over host:port.
# test/system/README.md tells what is and is not as on a real server.
#
#   hosts.sh create-base [IMAGE]              debootstrapped, apt configured (default image: base)
#   hosts.sh up HOST [--image IMG] [--ip 10.77.0.N] [--mem 2G] [--name FQDN]
#                    [--ext4 SIZE] [--bind SRC:DST] [--opt NSPAWN-ARG]...
#   hosts.sh exec HOST CMD...                 stdin/stdout/stderr and exit status as they are
#   hosts.sh service HOST CMD...              the same inside a transient unit (own cgroup, clean env)
#   hosts.sh copy-in HOST SRC DST | copy-out HOST SRC DST      (files or trees, owner and mode kept)
#   hosts.sh freeze HOST IMAGE                poweroff HOST, its layer becomes image IMAGE
#   hosts.sh net cut|heal HOST [PEER]         the host's link, or only the traffic between two hosts
#   hosts.sh net proxy [up|down]              http proxy for apt/npm at 10.77.0.1:3142 (allow-list, .deb cache)
#   hosts.sh pause|resume HOST                freezer: the host hangs, connections stay open
#   hosts.sh down HOST | kill HOST            orderly poweroff | power cut (SIGKILL to all, no shutdown)
#   hosts.sh start HOST                       boot a stopped host again from its own disk
#   hosts.sh snap HOST FILE                   (--ext4 hosts) what the disk holds at this instant
#   hosts.sh powerloss HOST                   (--ext4 hosts) power cut that loses what was not fsynced; then start
#   hosts.sh pid HOST | root HOST | ip HOST | list | destroy HOST | gc
#   hosts.sh destroy                          every host, the switch, the proxy and $RIG itself
set -u
RIG=${RIG:-${TMPDIR:-/tmp}/steward-rig}
NODE=${NODE:-node}
SUITE=${SUITE:-bookworm}
# a host gets the apt sources and npm settings of the machine that runs the tests, and nothing else
apt_uri() { grep -hE '^(URIs:|deb )' /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | grep -oE 'https?://[^ ]+' | grep -E "$1" | head -n 1; }
MIRROR=${MIRROR:-$(apt_uri '/debian/?$')}
SECURITY=${SECURITY:-$(apt_uri '/debian-security/?$')}
host_port() { sed -E 's#^(https?)://([^/:]+)(:([0-9]+))?.*#\1 \2 \4#; s#^http ([^ ]+) $#\1:80#; s#^https ([^ ]+) $#\1:443#; s#^https? ([^ ]+) ([0-9]+)$#\1:\2#; s#\.#\\.#g'; }
PROXY_ALLOW=${PROXY_ALLOW:-"^($( { echo "$MIRROR"; echo "$SECURITY"; npm config get registry 2>/dev/null; } | host_port | sort -u | paste -sd'|'))\$"}
NET=${NET:-10.77.0}                       # /24; .1 is the proxy
SELF=$(readlink -f "$0")
mkdir -p -m 700 "$RIG" && [ -O "$RIG" ] && mkdir -p "$RIG/hosts" || { echo "hosts.sh: $RIG is not ours" >&2; exit 125; }
RIG=$(cd "$RIG" && pwd -P)
IMAGES=${IMAGES:-$RIG/images} CACHE=${CACHE:-$RIG/cache}
mkdir -p "$RIG/images" "$IMAGES" "$CACHE" || exit 1
ID=rig-$(printf %s "$RIG" | cksum | cut -d' ' -f1)

die() { echo "hosts.sh: $*" >&2; exit 125; }
alive() {  # FILE with "pid starttime": true if that very process still runs
  local p s rest now; read -r p s 2>/dev/null <"$1" || return 1
  [ -r "/proc/$p/stat" ] || return 1
  now=$(start_of "$p") && [ "$now" = "$s" ] && rest=$(state_of "$p") && [ "$rest" != Z ]
}
start_of() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }
state_of() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f1; }
note_pid() { echo "$1 $(start_of "$1")" >"$2"; }
pid_in() { cut -d' ' -f1 "$1" 2>/dev/null; }
hostdir() { H=$RIG/hosts/$1; [ -d "$H" ] || die "no host $1"; }
leader() { alive "$H/leader" && pid_in "$H/leader"; }
wait_gone() { local i; for i in $(seq "$2"); do alive "$1" || return 0; sleep 0.05; done; return 1; }

# --- cgroups: a directory of its own per host below the caller's cgroup, in each hierarchy
cg_roots() { # prints the caller's own directory in each mounted hierarchy
  local line ctl path dir
  while IFS= read -r line; do
    ctl=${line#*:}; path=${ctl#*:}; ctl=${ctl%%:*}
    case $ctl in
      '') for dir in /sys/fs/cgroup/unified /sys/fs/cgroup; do [ -e "$dir/cgroup.procs" ] && break; done;;
      name=*) dir=/sys/fs/cgroup/${ctl#name=};;
      *) dir=/sys/fs/cgroup/$ctl;;
    esac
    [ -e "$dir/cgroup.procs" ] && echo "${dir}${path%/}"
  done </proc/self/cgroup
}
cg_make() { # HOST -> writes the list of its cgroup directories
  local d c
  for d in $(cg_roots); do
    c=$d/$ID/$1; mkdir -p "$c" || return 1; echo "$c"
    case $c in *cpuset*) for f in cpuset.cpus cpuset.mems; do
      cat "$d/$f" >"$d/$ID/$f"; cat "$d/$f" >"$c/$f"; done 2>/dev/null;; esac
  done >"$H/cgroups"
}
cg_kill() { # everything the host still runs, by pid, found through its own cgroups only
  local c i p
  [ -s "$H/cgroups" ] || return 0
  while read -r c; do case $c in */freezer/*) [ -e "$c/freezer.state" ] && echo THAWED >"$c/freezer.state";; esac; done <"$H/cgroups"
  while read -r c; do [ -e "$c/cgroup.kill" ] && echo 1 >"$c/cgroup.kill"; done <"$H/cgroups" 2>/dev/null
  for i in $(seq 40); do
    p=$(while read -r c; do find "$c" -name cgroup.procs -exec cat {} + 2>/dev/null; done <"$H/cgroups" | sort -un | grep -vx 0)
    [ -n "$p" ] || break
    kill -9 $p 2>/dev/null; sleep 0.05
  done
  while read -r c; do find "$c" -depth -type d -exec rmdir {} + ; rmdir "${c%/*}"; done <"$H/cgroups" 2>/dev/null
  :>"$H/cgroups"
}

# --- the switch: a network namespace of its own, kept by a sleeping process
join_net() { # puts this process into the rig's own cgroup, so that destroy finds it whatever happens
  local c; c=$(cg_roots | grep -m1 -E '/(systemd|unified)(/|$)' || cg_roots | head -n 1)/$ID/_net
  mkdir -p "$c" && echo $BASHPID >"$c/cgroup.procs"
}
sw_up() {
  alive "$RIG/switch" && { SW=$(pid_in "$RIG/switch"); return; }
  ( exec 9>&-; join_net; exec setsid unshare -n sleep infinity ) </dev/null >/dev/null 2>&1 &
  SW=$!; local i own; own=$(readlink /proc/self/ns/net)
  for i in $(seq 100); do
    [ "$(cat /proc/$SW/comm 2>/dev/null)" = sleep ] && [ "$(readlink /proc/$SW/ns/net)" != "$own" ] && break; sleep 0.02
  done
  [ "$(readlink /proc/$SW/ns/net)" != "$own" ] || die "no network namespace for the switch"
  note_pid $SW "$RIG/switch"
  # With an address of its own; else it takes the lowest of its ports', another one whenever a host comes or goes, and
  # the others send to the old one for a while.
  nsenter -t $SW -n sh -ec "ip link set lo up; ip link add br0 address 02:00:00:00:00:01 type bridge; ip addr add $NET.1/24 dev br0; ip link set br0 up" ||
    die "cannot make the bridge"
}
sw() { alive "$RIG/switch" || die "no switch"; nsenter -t "$(pid_in "$RIG/switch")" -n "$@"; }

next_ip() {
  local n; for n in $(seq 11 250); do
    grep -qsx "$NET.$n" "$RIG"/hosts/*/ip || { echo "$NET.$n"; return; }
  done
}

# --- images: directories NAME/{fs,lower}; lower = colon list of the layers beneath. What create-base made lies
# in $IMAGES, what freeze made in $RIG/images, so that it goes with the rig.
lowers() { # IMAGE -> colon list, topmost first
  local d=$RIG/images/$1; [ -d "$d/fs" ] || d=$IMAGES/$1; [ -d "$d/fs" ] || die "no image $1"
  echo "$d/fs$([ -s "$d/lower" ] && echo ":$(cat "$d/lower")")"
}

create_base() {
  local img=${1:-base} d t
  d=$IMAGES/$img; [ -e "$d/fs" ] && return 0
  rm -rf --one-file-system "$IMAGES/.$img".*  # of a run that was killed; the caller holds the lock
  t=$IMAGES/.$img.$$; mkdir -p "$t"
  mmdebstrap --quiet --variant=minbase \
    --include=systemd,systemd-sysv,dbus,udev,iproute2,procps,ca-certificates,apt-utils,netbase,libpam-systemd${BASE_PACKAGES:+,$BASE_PACKAGES} \
    "$SUITE" "$t/fs" "deb $MIRROR $SUITE main" "deb $MIRROR $SUITE-updates main" "deb $SECURITY $SUITE-security main" >"$t/log" 2>&1 ||
    { tail -5 "$t/log" >&2; die "mmdebstrap failed, log in $t"; }
  # local certificates (where packages come through a mirror with a private certificate)
  cp /usr/local/share/ca-certificates/*.crt "$t/fs/usr/local/share/ca-certificates/" 2>/dev/null
  chroot "$t/fs" update-ca-certificates >>"$t/log" 2>&1
  cat >"$t/fs/etc/apt/apt.conf.d/99rig" <<E
Acquire::http::Proxy "http://$NET.1:3142";
Acquire::https::Proxy "http://$NET.1:3142";
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
APT::Install-Recommends "true";
E
  : >"$t/fs/etc/machine-id"; rm -f "$t/fs/etc/hostname" "$t/fs/etc/resolv.conf"
  mv "$t" "$d"
}

up() {
  local name=$1 image=base ip='' mem='' fqdn='' ext4='' opts=(); shift
  case $name in *[!a-z0-9-]*|'') die "bad host name $name";; esac
  while [ $# -gt 0 ]; do case $1 in
    --image) image=$2;; --ip) ip=$2;; --mem) mem=$2;; --name) fqdn=$2;; --ext4) ext4=$2;;
    --bind) opts+=("--bind=$2");; --opt) opts+=("$2");; *) die "up: unknown $1";; esac; shift 2; done
  H=$RIG/hosts/$name
  [ -e "$H" ] && die "host $name exists (destroy it first)"
  local low; low=$(lowers "$image") || exit $?
  mkdir "$H" || die "cannot make $H"
  ( flock 9; [ -n "$ip" ] || ip=$(next_ip); echo "$ip" >"$H/ip" ) 9>"$RIG/lock"
  echo "$low" >"$H/lower"; echo "$mem" >"$H/mem"; echo "${fqdn:-$name.test}" >"$H/fqdn"
  printf '%s\n' ${opts[@]+"${opts[@]}"} >"$H/opts"
  mkdir -p "$H/disk" "$H/root"
  if [ -n "$ext4" ]; then
    truncate -s "$ext4" "$H/disk.img" && mkfs.ext4 -q -F -m 0 -E lazy_itable_init=0,lazy_journal_init=0 "$H/disk.img" || die "mkfs failed"
  fi
  start "$name"
}

start() {
  hostdir "$1"; local name=$1 i p L fqdn ip mem opts=() st
  alive "$H/nspawn" && die "host $name runs"
  fqdn=$(cat "$H/fqdn") ip=$(cat "$H/ip") mem=$(cat "$H/mem")
  mapfile -t opts < <(grep . "$H/opts")
  { flock 9; sw_up; } 9>"$RIG/lock"
  cg_make "$name" || die "cannot make the cgroups"
  if [ -n "$mem" ]; then
    local m; m=$(grep /memory/ "$H/cgroups"); echo "$mem" >"$m/memory.limit_in_bytes" || die "cannot limit memory"
    awk -v lim="$(cat "$m/memory.limit_in_bytes")" '/^MemTotal|^MemFree|^MemAvailable/{printf "%-15s %9d kB\n",$1,lim/1024*($1=="MemTotal:"?1:.9);next}
      /^Swap(Total|Free)/{printf "%-15s %9d kB\n",$1,0;next}{print}' /proc/meminfo >"$H/meminfo"
    # (a bind below /proc or /sys is made after the root changed: its source must lie inside the host)
    opts+=("--bind-ro=$H/meminfo:/run/rig/meminfo" "--bind-ro=/run/rig/meminfo:/proc/meminfo")
  fi
  # vm.* is the machine's, not the host's: give each host plain files to set instead
  rm -rf "$H/vm"; mkdir -p "$H/vm"; local f
  for f in /proc/sys/vm/*; do cat "$f" >"$H/vm/${f##*/}"; done 2>/dev/null
  opts+=("--bind=$H/vm:/run/rig/vm" "--bind=/run/rig/vm:/proc/sys/vm")
  rm -f "$H/go"; mkfifo "$H/go"; echo "$fqdn" >"$H/fqdn"
  # The whole host is one process tree; its mounts and its network go away with it.
  ( exec 9>&-; while read -r c; do echo $BASHPID >"$c/cgroup.procs" || exit 1; done <"$H/cgroups"
  exec setsid unshare -m -n --propagation private bash -c '
    H=$1 LOW=$2 NAME=$3; shift 3
    read -r go <"$H/go" && [ "$go" = go ] || exit 1
    if [ -e "$H/disk.img" ]; then mount -o loop,noatime,commit=600 "$H/disk.img" "$H/disk" || exit 1; fi
    mkdir -p "$H/disk/up" "$H/disk/work"
    mount -t overlay overlay -o "lowerdir=$LOW,upperdir=$H/disk/up,workdir=$H/disk/work" "$H/root" || exit 1
    ip link set lo up
    export SYSTEMD_NSPAWN_TMPFS_TMP=0 SYSTEMD_NSPAWN_API_VFS_WRITABLE=network
    exec systemd-nspawn -q -D "$H/root" -M "$NAME" --hostname="$(cut -d. -f1 "$H/fqdn")" --register=no --keep-unit -b --console=pipe \
      --network-namespace-path=/proc/self/ns/net --resolv-conf=off --timezone=off --link-journal=no \
      --capability=CAP_IPC_LOCK,CAP_NET_ADMIN --kill-signal=SIGRTMIN+4 "$@"
  ' rig-host "$H" "$(cat "$H/lower")" "$ID-$name" ${opts[@]+"${opts[@]}"} ) </dev/null >>"$H/console" 2>&1 &
  L=$!; local own; own=$(readlink /proc/self/ns/net)
  for i in $(seq 200); do
    [ "$(readlink /proc/$L/ns/net 2>/dev/null)" != "$own" ] && [ "$(cat /proc/$L/comm 2>/dev/null)" = bash ] && break
    [ -d /proc/$L ] || break; sleep 0.02
  done
  note_pid $L "$H/nspawn"; disown $L 2>/dev/null
  local v; v=v$(printf %s "$name" | cksum | cut -d' ' -f1)
  sw ip link del "$v" 2>/dev/null
  sw sh -ec "ip link add $v type veth peer name eth0 netns $L; ip link set $v master br0 up" || { abort "no veth"; }
  nsenter -t $L -n sh -ec "ip addr add $ip/24 dev eth0; ip link set eth0 up; ip route add default via $NET.1" || abort "no address"
  echo "$v" >"$H/veth"
  prepare_etc "$fqdn" "$ip"
  echo go >"$H/go"
  for i in $(seq 400); do
    p=$(cat "/proc/$L/task/$L/children" 2>/dev/null); p=${p%% *}
    [ -n "$p" ] && [ "$(cat "/proc/$p/comm" 2>/dev/null)" = systemd ] && break
    alive "$H/nspawn" || abort "the host did not start"; sleep 0.02
  done
  note_pid "$p" "$H/leader"
  for i in $(seq 1200); do
    st=$(nsenter -t "$p" -a systemctl is-system-running 2>/dev/null)
    case $st in running|degraded) break;; esac
    alive "$H/leader" || abort "the host died while it booted"; sleep 0.05
  done
  [ "$st" = running ] || { [ "$st" = degraded ] && [ -z "${STRICT:-}" ]; } || abort "the host is '$st'"
  echo "$st" >"$H/state"
}
prepare_etc() { # name and hosts file: only at the first start
  local up=$H/disk/up
  [ -e "$H/prepared" ] && return; : >"$H/prepared"
  if [ -e "$H/disk.img" ]; then mkdir -p "$H/m"; mount -o loop "$H/disk.img" "$H/m" || abort mount; up=$H/m/up; fi
  mkdir -p "$up/etc"; echo "${1%%.*}" >"$up/etc/hostname"
  printf '127.0.0.1 localhost\n%s %s %s\n::1 localhost ip6-localhost\n' "$2" "$1" "${1%%.*}" >"$up/etc/hosts"
  : >"$up/etc/machine-id"
  if [ -e "$H/disk.img" ]; then umount "$H/m"; rmdir "$H/m"; fi
}
abort() { tail -5 "$H/console" >&2; stop_hard; die "$(basename "$H"): $*"; }
stop_hard() {
  local f
  cg_kill
  for f in leader nspawn; do alive "$H/$f" && kill -9 "$(pid_in "$H/$f")" 2>/dev/null; done
  wait_gone "$H/nspawn" 100; rm -f "$H/leader" "$H/nspawn" "$H/go"
  rmdir "/run/systemd/nspawn/propagate/$ID-$(basename "$H")" 2>/dev/null
  return 0
}

in_host() { # HOST CMD...
  hostdir "$1"; shift; local p; p=$(leader) || die "host is not running"
  # a process that joins a frozen cgroup cannot even be killed until it is thawed
  grep -qs FROZEN "$(grep /freezer/ "$H/cgroups")/freezer.state" && die "host is paused"
  # no more rights than the host's own services have (nsenter alone would keep this machine's)
  local mask caps=-all n; mask=$((16#$(sed -n 's/^CapBnd:[[:space:]]*//p' "/proc/$p/status")))
  for n in $(seq 0 "$(cat /proc/sys/kernel/cap_last_cap)"); do [ $((mask >> n & 1)) = 1 ] && caps=$caps,+cap_$n; done
  # join the host's cgroups (a leaf of their own below the payload), then its namespaces
  local c
  while read -r c; do
    # (only a leaf takes processes where cgroups are of version 2)
    if [ -d "$c/payload" ]; then c=$c/payload/rig-exec; mkdir -p "$c"; fi
    echo $BASHPID >"$c/cgroup.procs"
  done <"$H/cgroups" 2>/dev/null
  exec nsenter -t "$p" -a setpriv --bounding-set="$caps" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    HOME=/root USER=root LOGNAME=root LANG=C.UTF-8 TERM="${TERM:-dumb}" ${DEBIAN_FRONTEND:+DEBIAN_FRONTEND=$DEBIAN_FRONTEND} "$@"
}

# Through the host's own file tree (tar run inside it): paths under /proc/PID/root would follow
# absolute symbolic links out into this machine.
copy_in() {
  local src=$2 dst=$3
  if [ -d "$src" ]; then
    tar -C "$src" --numeric-owner -cf - . | ( in_host "$1" sh -c 'mkdir -p "$1" && tar -C "$1" --numeric-owner -xpf -' sh "$dst" )
  else
    ( in_host "$1" sh -ec 'mkdir -p "$(dirname "$1")"; t="$1.rig$$"; cat >"$t"; chown "$3" "$t"; chmod "$2" "$t"; mv -f "$t" "$1"' \
      sh "$dst" "$(stat -L -c %a "$src")" "$(stat -L -c %u:%g "$src")" ) <"$src"
  fi
}
copy_out() {
  if ( in_host "$1" test -d "$2" ); then
    mkdir -p "$3" && ( in_host "$1" tar -C "$2" --numeric-owner -cf - . ) | tar -C "$3" --numeric-owner -xpf -
  else
    ( in_host "$1" cat "$2" ) >"$3" && chmod "$( ( in_host "$1" stat -L -c %a "$2" ) )" "$3"
  fi
}

down() {
  hostdir "$1"; local p
  p=$(leader) && nsenter -t "$p" -a systemctl poweroff >/dev/null 2>&1
  wait_gone "$H/nspawn" "${DOWN_TICKS:-600}" || echo "hosts.sh: $1 did not power off, killed" >&2
  stop_hard
}

freeze() {
  hostdir "$1"; local img=$RIG/images/$2
  [ -e "$img" ] && die "image $2 exists"
  [ -e "$H/disk.img" ] && die "freeze: not for --ext4 hosts"
  down "$1"; mkdir -p "$img"
  mv "$H/disk/up" "$img/fs"; cp "$H/lower" "$img/lower"
  : >"$img/fs/etc/machine-id"; rm -rf "$img/fs/run" "$img/fs/var/log/journal"
  destroy "$1"
}

destroy() {
  H=$RIG/hosts/$1; [ -d "$H" ] || return 0
  stop_hard
  mountpoint -q "$H/m" 2>/dev/null && umount -l "$H/m"
  rm -rf --one-file-system "$H"
}
destroy_all() {
  local h
  for h in "$RIG"/hosts/*/; do [ -d "$h" ] && destroy "$(basename "$h")"; done
  net proxy down
  alive "$RIG/switch" && kill -9 "$(pid_in "$RIG/switch")" 2>/dev/null
  local c i p
  for c in $(cg_roots); do # whatever a killed run left
    [ -d "$c/$ID" ] || continue
    for i in $(seq 40); do
      p=$(find "$c/$ID" -name cgroup.procs -exec cat {} + 2>/dev/null | grep -vx 0); [ -n "$p" ] || break
      kill -9 $p 2>/dev/null; sleep 0.05
    done
    find "$c/$ID" -depth -type d -exec rmdir {} + 2>/dev/null
  done
  rm -f "$RIG/switch" "$RIG/lock"
  rm -rf --one-file-system "$RIG"
}

net() {
  case $1 in
    cut|heal)
      hostdir "$2"
      if [ -z "${3:-}" ]; then
        sw ip link set "$(cat "$H/veth")" "$([ "$1" = cut ] && echo down || echo up)"
      else
        local a b; a=$(cat "$H/ip"); hostdir "$3"; b=$(cat "$H/ip")
        sw nft add table bridge rig
        sw nft 'add chain bridge rig cuts { type filter hook forward priority 0; }'
        if [ "$1" = cut ]; then sw nft -f - <<E
add rule bridge rig cuts ip saddr $a ip daddr $b drop comment "$2-$3"
add rule bridge rig cuts ip saddr $b ip daddr $a drop comment "$2-$3"
E
        else
          sw nft -a list chain bridge rig cuts | sed -n "s/.*comment \"\($2-$3\|$3-$2\)\".*handle //p" |
            while read -r h; do sw nft delete rule bridge rig cuts handle "$h"; done
        fi
      fi;;
    proxy)
      if [ "${2:-up}" = down ]; then
        alive "$RIG/proxy" && kill "$(pid_in "$RIG/proxy")"; rm -f "$RIG/proxy"; return 0; fi
      alive "$RIG/proxy" && return 0
      { flock 9; sw_up; } 9>"$RIG/lock"
      proxy_js >"$RIG/proxy.mjs"
      # listens in the switch's namespace, goes out from this one
      ( join_net; export CACHE ALLOW=$PROXY_ALLOW; exec setsid nsenter -t "$SW" -n systemd-socket-activate -l "$NET.1:3142" \
        -E CACHE -E ALLOW -E PATH nsenter --net="/proc/$$/ns/net" "$NODE" "$RIG/proxy.mjs" ) </dev/null >>"$RIG/proxy.log" 2>&1 &
      local px=$! i; note_pid $px "$RIG/proxy"; disown $px
      for i in $(seq 200); do  # the first connection starts node, which must happen while this shell (its way out) lives
        nsenter -t "$SW" -n bash -c "exec 3<>/dev/tcp/$NET.1/3142 && printf 'GET / HTTP/1.0\r\n\r\n' >&3 && read -r -t 20 line <&3 && [[ \$line == HTTP* ]]" 2>/dev/null && return 0
        alive "$RIG/proxy" || break; sleep 0.05
      done; die "the proxy did not start";;
    *) die "net: cut|heal|proxy";;
  esac
}
proxy_js() { cat <<'E'
import http from 'node:http'; import net from 'node:net'; import fs from 'node:fs'; import { createHash } from 'node:crypto';
const allow = new RegExp(process.env.ALLOW), cache = process.env.CACHE; let n = 0;
const s = http.createServer((q, r) => {
  let u; try { u = new URL(q.url); } catch { r.writeHead(400); return r.end(); }
  if (u.protocol !== 'http:' || !allow.test(u.hostname + ':' + (u.port || 80))) { r.writeHead(403); return r.end('not allowed: ' + u.host); }
  const keep = q.method === 'GET' && /\.deb$|\/by-hash\//.test(u.pathname), f = cache + '/' + createHash('sha256').update(u.href).digest('hex');
  if (keep && fs.existsSync(f)) { r.writeHead(200, { 'content-length': fs.statSync(f).size }); return fs.createReadStream(f).pipe(r); }
  const { 'proxy-connection': _, ...h } = q.headers; if (keep) { delete h.range; delete h['if-range']; }
  const o = http.request(u, { method: q.method, headers: h }, (a) => {
    r.writeHead(a.statusCode, a.headers); a.pipe(r);
    if (keep && a.statusCode === 200) {
      const t = f + '.' + process.pid + '.' + n++, w = fs.createWriteStream(t); let got = 0;
      a.on('data', (d) => { got += d.length; }); a.pipe(w);
      w.on('finish', () => { const l = a.headers['content-length']; if (l === undefined || +l === got) fs.renameSync(t, f); else fs.unlinkSync(t); });
      a.on('error', () => { w.destroy(); fs.rmSync(t, { force: true }); });
    }
  });
  o.on('error', (e) => { if (!r.headersSent) r.writeHead(502); r.end(String(e)); }); q.pipe(o);
});
s.on('connect', (q, c, head) => {
  if (!allow.test(q.url)) { c.end('HTTP/1.1 403 not allowed\r\n\r\n'); return; }
  const [h, p] = q.url.split(':'), o = net.connect(+p, h, () => { c.write('HTTP/1.1 200 OK\r\n\r\n'); o.write(head); o.pipe(c); c.pipe(o); });
  o.on('error', () => c.destroy()); c.on('error', () => o.destroy());
});
s.listen({ fd: 3 });
E
}

snap() {
  hostdir "$1"; [ -e "$H/disk.img" ] || die "snap: only for --ext4 hosts"
  local f; f=$(grep /freezer/ "$H/cgroups")/freezer.state; local was; was=$(cat "$f")
  echo FROZEN >"$f"; cp --sparse=always --reflink=auto "$H/disk.img" "$2"; local rc=$?
  [ "$was" = FROZEN ] || echo THAWED >"$f"; return $rc
}
powerloss() {
  hostdir "$1"; [ -e "$H/disk.img" ] || die "powerloss: only for --ext4 hosts"
  pausing FROZEN "$1"; cp --sparse=always --reflink=auto "$H/disk.img" "$H/disk.crash" || die "no copy"
  stop_hard
  local i; for i in $(seq 200); do [ -z "$(losetup -j "$H/disk.img")" ] && break; sleep 0.05; done
  mv "$H/disk.crash" "$H/disk.img"
}
pausing() { hostdir "$2"; local c; c=$(grep /freezer/ "$H/cgroups"); echo "$1" >"$c/freezer.state"; }

cmd=${1:-}; [ $# -gt 0 ] && shift
case $cmd in
  create-base) { flock 9; create_base "$@"; } 9>"$IMAGES/.lock";;
  up) up "$@";;
  start) start "$@";;
  exec) in_host "$@";;
  service) n=$1; shift; in_host "$n" systemd-run -q --pipe --wait --collect "$@";;
  copy-in) copy_in "$@";;
  copy-out) copy_out "$@";;
  freeze) freeze "$@";;
  net) net "$@";;
  pause) pausing FROZEN "$1";;
  resume) pausing THAWED "$1";;
  down) down "$@";;
  kill) hostdir "$1"; p=$(leader) && kill -9 "$p"; stop_hard;;
  snap) snap "$@";;
  powerloss) powerloss "$@";;
  pid) hostdir "$1"; leader;;
  root) hostdir "$1"; p=$(leader) && echo "/proc/$p/root";;
  ip) hostdir "$1"; cat "$H/ip";;
  list) for h in "$RIG"/hosts/*/; do [ -d "$h" ] || continue; H=${h%/}
    echo "$(basename "$H") $(cat "$H/ip") $(leader >/dev/null && echo up || echo off)"; done;;
  destroy) if [ $# -gt 0 ]; then destroy "$1"; else destroy_all; fi;;
  gc) for h in "$RIG"/hosts/*/; do [ -d "$h" ] || continue; H=${h%/}; alive "$H/nspawn" || destroy "$(basename "$H")"; done;;
  *) sed -n '2,/^set -u/p' "$SELF" | sed '$d;s/^# \{0,1\}//'; [ -z "$cmd" ];;
esac
