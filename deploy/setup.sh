#!/usr/bin/env bash
# Puts Python's packages into .venv and the Java programs into deploy/embedded/target, and builds the console.
# With `tests` also what only the tests need. Quick when that was done:
# each part leaves a stamp, the hash of what names its versions. One line says what to do when it fails.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { echo "jiedui: $*" >&2; exit 1; }

current() { # stamp what
    [[ -f $1 && $(<"$1") == "$("$2" | sha256sum)" ]]
}

python_versions() { cat requirements-dev.lock && sed '/^\[tool.ruff\]/,$d' pyproject.toml; } # tools' settings install nothing
console_versions() { (cd services/notify/console && cat package-lock.json build.mjs tsconfig.json && find src public -type f -print0 | sort -z | xargs -0 cat); }
java_versions() { cat deploy/embedded/pom.xml; }

attempt() { # what log command...
    "${@:3}" >"$2" 2>&1 || fail "$1 failed: $(grep -i -m 1 error "$2" | cut -c1-300) (all of it: $2)"
}

python_packages() {
    local python
    current $python_stamp python_versions && [[ -x .venv/bin/python ]] && return
    python=$(command -v python3.11 || command -v python3 || true)
    [[ -n $python && $("$python" -c 'import sys; print(*sys.version_info[:2])') == "3 11" ]] ||
        fail "Python 3.11 is needed, and there is no python3.11 (Debian: apt-get install python3.11 python3.11-venv)"
    echo "Python packages into .venv: once, a minute or a few"
    mkdir -p .venv
    attempt "making .venv" .venv/setup.log "$python" -m venv .venv
    attempt "installing Python's packages" .venv/setup.log \
        .venv/bin/python -m pip install --require-hashes -r requirements-dev.lock
    attempt "installing jiedui itself" .venv/setup.log \
        .venv/bin/python -m pip install --no-build-isolation --no-deps -e .
    python_versions | sha256sum >$python_stamp
}

java_is_there() {
    current $java_stamp java_versions && return
    command -v java >/dev/null ||
        fail "java is not found: install Java 17 or later (Debian: apt-get install openjdk-17-jdk-headless)"
    command -v mvn >/dev/null || fail "mvn is not found: install Maven (Debian: apt-get install maven)"
}

java_programs() {
    current $java_stamp java_versions && return
    echo "Kafka and Zipkin from Maven Central: once, 170 MB"
    mkdir -p deploy/embedded/target
    rm -rf deploy/embedded/target/kafka
    attempt "fetching Kafka and Zipkin" deploy/embedded/target/setup.log \
        mvn --batch-mode --quiet -Dstyle.color=never -f deploy/embedded/pom.xml process-resources
    java_versions | sha256sum >$java_stamp
}

console() {
    current $console_stamp console_versions && [[ -f services/notify/console/dist/index.html ]] && return
    if ! command -v npm >/dev/null || (($(node -p 'process.versions.node.split(".")[0]') < 20)); then
        echo "The console is not built: it needs Node 20 or later with npm (all else runs without)"
        return
    fi
    (cd services/notify/console && {
        current node_modules/installed cat_lock || {
            attempt "fetching the console's packages" ../../../.venv/console.log npm ci --ignore-scripts --no-audit --no-fund
            cat_lock | sha256sum >node_modules/installed
        }
        attempt "building the console" ../../../.venv/console.log npm run build
    })
    console_versions | sha256sum >$console_stamp
}

cat_lock() { cat package-lock.json; }

browser() { # that the console's tests drive
    command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null && return
    if [[ $EUID == 0 ]] && command -v apt-get >/dev/null; then
        echo "Chromium from Debian, for the console's tests: once, a minute"
        { apt-get update && apt-get install --yes --no-install-recommends chromium fonts-noto-cjk; } \
            >.venv/browser.log 2>&1 && return
    fi
    echo "Without a browser the console's journeys are left out (Debian: apt-get install chromium)"
}

python_stamp=.venv/installed
java_stamp=deploy/embedded/target/installed
console_stamp=services/notify/console/node_modules/built
java_is_there # before minutes are spent on Python
python_packages
java_programs
console
[[ ${1:-} != tests ]] || browser
