#!/usr/bin/env bash
# run_paper.sh: the experiments of the LieRE paper, one command. What runs is data: experiments/experiments.table and rows.table.
# SPDX-License-Identifier: MIT
set -eu

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tables=$root/harness/experiments
build=${BUILD:-build}

usage() {
    cat <<'END'
usage: harness/run_paper.sh [options]
Trains and tests the experiments of the LieRE paper, and writes report.md, results.csv and pictures.

  --tier quick|full   quick: what needs neither data nor a GPU, minutes; full: the paper's experiments as well [quick]
  --only NAME         one experiment of experiments/experiments.table
  --device auto|cpu|cuda                                                                        [auto]
  --data DIR          folder with the data sets that an experiment needs
  --out DIR           folder of the runs and of the report                                      [runs/paper]
  --seeds "N .."      one training per row and seed                                             [0 1]
  --jobs N            trainings at a time, one thread each                                      [all cores]
  --set section.key=value   an option on top of every config (train --help lists them); may be repeated
  --help              this text

Interrupted, it goes on where it was with the same command: finished trainings of the same config and commit are kept, unfinished
ones continue from their last checkpoint. Exit status: 0; 1 if a training failed; 2 for wrong use; 130 if it was interrupted.
END
}

die() { # status, line
    echo "run_paper: $2" >&2
    exit "$1"
}

# ---- Options ------------------------------------------------------------------------------------------------------------

tier=quick only='' device=auto data='' out=$root/runs/paper seeds='0 1' jobs='' sets=() command="harness/run_paper.sh"
for word in "$@"; do
    case $word in *[!A-Za-z0-9_./=-]*) command+=" '$word'" ;; *) command+=" $word" ;; esac
done
while [ $# -gt 0 ]; do
    case $1 in
    --help | -h) usage && exit 0 ;;
    --tier | --only | --device | --data | --out | --seeds | --jobs | --set) [ $# -ge 2 ] || die 2 "$1 needs a value; see --help" ;;
    *) die 2 "unknown option '$1'; see --help" ;;
    esac
    case $1 in
    --tier) tier=$2 ;;
    --only) only=$2 ;;
    --device) device=$2 ;;
    --data) data=$2 ;;
    --out) out=$2 ;;
    --seeds) seeds=$2 ;;
    --jobs) jobs=$2 ;;
    --set) sets+=("$2") ;;
    esac
    shift 2
done

is_number() { # text of 1 to 15 digits
    case $1 in '' | *[!0-9]* | ????????????????*) return 1 ;; esac
}

case $tier in quick | full) ;; *) die 2 "--tier $tier: quick or full" ;; esac
case $device in
auto | cpu) device=cpu ;;
cuda) die 2 "--device cuda: this version trains on the CPU only; leave the option out" ;;
*) die 2 "--device $device: auto, cpu or cuda" ;;
esac
[ -z "$data" ] || [ -d "$data" ] || die 2 "--data $data: no such folder"
[ -n "${seeds// /}" ] || die 2 "--seeds: at least one number"
for seed in $seeds; do
    is_number "$seed" || die 2 "--seeds: '$seed' is not a whole number"
done
jobs=${jobs:-$(nproc)}
if ! is_number "$jobs" || [ "$jobs" -lt 1 ]; then
    die 2 "--jobs: '$jobs' is not a whole number from 1"
fi

trimmed() { # table: its rows, blanks around the fields removed
    sed -e '/^[[:space:]]*\(#.*\)\?$/d' -e 's/[[:space:]]*|[[:space:]]*/|/g' -e 's/[[:space:]]*$//' "$tables/$1"
}

chosen=() names=()
while IFS='|' read -r name its_tier needs _; do
    names+=("$name")
    if [ "$name" = "$only" ]; then
        [ -z "$needs" ] || die 2 "--only $only: needs $needs"
        chosen+=("$name")
    elif [ -z "$only" ] && [ -z "$needs" ] && [ "$its_tier" != named ]; then
        case $its_tier in quick | "$tier") chosen+=("$name") ;; esac
    fi
done < <(trimmed experiments.table)
[ ${#chosen[@]} -gt 0 ] || die 2 "--only $only: no such experiment; there are: ${names[*]}"

if ! mkdir -p "$out" 2>/dev/null || [ ! -w "$out" ]; then
    die 2 "--out $out: the folder cannot be made or written"
fi
out=$(cd "$out" && pwd)
exec 9>"$out/lock" || die 2 "--out $out: the folder cannot be written"
flock -n 9 || die 2 "$out: another run_paper.sh is at work there; wait for it or choose another --out"

# ---- Build --------------------------------------------------------------------------------------------------------------

for tool in make gcc gnuplot; do
    command -v "$tool" >/dev/null || die 1 "$tool is missing: 'make deps' installs what is needed"
done
echo "run_paper: building (make)"
if ! make --silent -j"$(nproc)" -C "$root" BUILD="$build" "$build/harness/train" "$build/harness/make_report" >"$out/build.log" 2>&1 9>&-; then
    tail -n 15 "$out/build.log" >&2
    die 1 "the build failed, see $out/build.log; if a header or a library is missing: make deps"
fi
case $build in /*) ;; *) build=$root/$build ;; esac
train=$build/harness/train make_report=$build/harness/make_report
commit=$(git -C "$root" describe --always --dirty --abbrev=12 2>/dev/null || echo unknown)

# ---- Trainings ----------------------------------------------------------------------------------------------------------
# One entry per training in each array. state: queued, running, finished, failed.

folder=() label=() config=() overrides=() seed_of=() cost=() total=() state=() process=() continued=''

total_examples() { # config, assignments: train.examples, or 0 if the length is given in epochs
    local value item
    value=$(sed -n 's/^examples *= *\([0-9]*\).*/\1/p' "$1")
    shift
    for item in "$@"; do
        case $item in train.examples=*) value=${item#*=} ;; esac
    done
    is_number "${value:-}" && echo "$value" || echo 0
}

recipe() { # number of a training: what decides its outcome
    printf 'commit %s\nconfig %s\noverrides %s\nseed %s\n' "$commit" "$(cksum <"${config[$1]}")" "${overrides[$1]}" "${seed_of[$1]}"
}

# A folder made by another recipe is moved aside, never overwritten.
settle_folder() { # number of a training
    local i=$1 aside
    state[i]=queued
    if [ -d "${folder[i]}" ] && [ "$(recipe "$i")" != "$(cat "${folder[i]}/recipe" 2>/dev/null)" ]; then
        aside=$out/replaced/$(date -u +%Y%m%dT%H%M%SZ)-$(basename "$(dirname "${folder[i]}")")-$(basename "${folder[i]}")
        mkdir -p "$out/replaced"
        mv "${folder[i]}" "$aside"
        echo "run_paper: ${label[i]}: config or commit has changed, the former run is now $aside"
    elif [ -d "${folder[i]}" ]; then
        continued=yes
        [ ! -f "${folder[i]}/result.json" ] || state[i]=finished
    fi
}

enqueue() { # experiment, row, config, overrides, cost, title, seed
    local i=${#folder[@]}
    folder+=("$out/$1/$2-s$7") label+=("$6, seed $7") config+=("$tables/$3.ini") seed_of+=("$7") cost+=("$5")
    overrides+=("$4${sets[*]:+ ${sets[*]}}") process+=('')
    [ -f "${config[i]}" ] || die 1 "rows.table: $tables/$3.ini is missing"
    # shellcheck disable=SC2086 # the assignments are separated by blanks
    total+=("$(total_examples "${config[i]}" ${overrides[i]})")
    settle_folder "$i"
}

for experiment in "${chosen[@]}"; do
    while IFS='|' read -r of row its_config its_overrides its_cost title; do
        [ "$of" = "$experiment" ] || continue
        for seed in $seeds; do
            enqueue "$of" "$row" "$its_config" "$its_overrides" "$its_cost" "$title" "$seed"
        done
    done < <(trimmed rows.table | sort -t'|' -k5,5nr -s) # the longest first
done

guard=() # a killed run_paper.sh takes its trainings with it; they write their checkpoints
if command -v setpriv >/dev/null; then
    guard=(setpriv --pdeathsig TERM)
fi

launch() { # number of a training
    local i=$1 item arguments=()
    for item in ${overrides[i]}; do
        arguments+=(--set "$item")
    done
    [ -z "$data" ] || arguments+=(--data "$data")
    mkdir -p "${folder[i]}"
    recipe "$i" >"${folder[i]}/recipe"
    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 "${guard[@]}" "$train" "${config[i]}" "${arguments[@]}" \
        --set "run.seed=${seed_of[i]}" --set "run.name=$(basename "${folder[i]}")" --out "${folder[i]}" --threads 1 --resume >>"${folder[i]}/output.txt" 2>&1 9>&- &
    process[i]=$! state[i]=running launched=$((launched + 1))
}

collect() { # number of a running training: notes its end
    local i=$1 status=0
    kill -0 "${process[i]}" 2>/dev/null && return
    wait "${process[i]}" || status=$?
    state[i]=failed
    if [ "$status" = 0 ] && [ -f "${folder[i]}/result.json" ]; then
        state[i]=finished
    else
        say "${label[i]}: failed: $(tail -n 1 "${folder[i]}/output.txt")"
    fi
}

# ---- Progress -----------------------------------------------------------------------------------------------------------

start=$SECONDS last_line=-1000 shown=0 earlier=0 # seconds of the calls before, if this one continues them
if [ -n "$continued" ] && is_number "$(cat "$out/seconds" 2>/dev/null)"; then
    earlier=$(cat "$out/seconds")
fi

say() { # line, on its own
    [ "$shown" = 0 ] || printf '\n' >&2
    shown=0
    echo "run_paper: $1" >&2
}

progress() {
    local i every=30 line examples seconds
    [ ! -t 2 ] || every=2
    [ $((SECONDS - last_line)) -ge $every ] || return 0
    last_line=$SECONDS
    line=$(for i in "${!folder[@]}"; do
        examples=0 seconds=0
        if [ "${state[i]}" != queued ] && [ -s "${folder[i]}/log.jsonl" ]; then
            read -r examples seconds < <(sed -n 's/.*"examples":\([0-9]*\).*"seconds":\([0-9.]*\).*/\1 \2/p' "${folder[i]}/log.jsonl" |
                tail -n 1) || true
        fi
        echo "${state[i]} ${cost[i]} ${total[i]} ${examples:-0} ${seconds:-0}"
    done | awk -v slots="$jobs" -v gone=$((SECONDS - start)) -f "$root/harness/report/time_left.awk")
    if [ -t 2 ]; then
        printf '\r\033[Krun_paper: %s' "$line" >&2
        shown=1
    else
        say "$line"
    fi
}

# ---- Stopping -----------------------------------------------------------------------------------------------------------

stopping='' launched=0
trap 'stopping=yes' INT TERM HUP

note_seconds() {
    [ "$launched" = 0 ] || echo $((earlier + SECONDS - start)) >"$out/seconds"
}

stop_all() { # the trainings, which then write their checkpoints
    local i
    for i in "${!folder[@]}"; do
        [ "${state[i]}" != running ] || kill -TERM "${process[i]}" 2>/dev/null || true
    done
    for i in "${!folder[@]}"; do # a signal that comes again interrupts wait, not the training
        while [ "${state[i]}" = running ] && kill -0 "${process[i]}" 2>/dev/null; do
            wait "${process[i]}" || true
        done
    done
    note_seconds
}
trap stop_all EXIT

running() { # how many trainings
    local i count=0
    for i in "${!folder[@]}"; do
        [ "${state[i]}" != running ] || count=$((count + 1))
    done
    echo "$count"
}

# ---- The loop -----------------------------------------------------------------------------------------------------------

kept=0 failed=0
for i in "${!folder[@]}"; do
    [ "${state[i]}" != finished ] || kept=$((kept + 1))
done
echo "run_paper: ${chosen[*]}: ${#folder[@]} trainings, $kept already done, $jobs at a time; $out"

next=0
while [ -z "$stopping" ]; do
    for i in "${!folder[@]}"; do
        [ "${state[i]}" != running ] || collect "$i"
    done
    while [ "$next" -lt ${#folder[@]} ] && [ "$(running)" -lt "$jobs" ]; do
        [ "${state[next]}" != queued ] || launch "$next"
        next=$((next + 1))
    done
    [ "$(running)" -gt 0 ] || break
    progress
    sleep 0.5 9>&- &
    wait $! || true # so that a signal is heard at once
done

if [ -n "$stopping" ]; then
    say "stopping; the trainings write their checkpoints"
    stop_all
    say "stopped; go on with: $command"
    exit 130
fi
for i in "${!folder[@]}"; do
    [ "${state[i]}" != failed ] || failed=$((failed + 1))
done
[ "$shown" = 0 ] || printf '\n' >&2
note_seconds
"$make_report" --out "$out" --tables "$tables" --command "$command" --device "$device" \
    --seconds "$(cat "$out/seconds" 2>/dev/null || echo -1)"
[ "$failed" = 0 ] || die 1 "$failed of ${#folder[@]} trainings failed; their output is in $out/*/*/output.txt"
