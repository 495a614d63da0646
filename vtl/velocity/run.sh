#!/usr/bin/env bash
# Compares package vtl with Apache Velocity 1.7: made up templates, and the corpus. It installs
# what Debian has and is missing, for which it has to be root or may use sudo.
#
#   CASES     how many templates (100000)
#   SEED      what they are made of, to see a difference again; another each time by itself
#   RECORD    a file of templates instead, a JSON object with t and perhaps b (the payload) in a
#             line: printed as lines of the corpus, which begin with {, with what Velocity makes
#             of them
set -euo pipefail
cd "$(dirname "$0")"

jars=(velocity commons-lang commons-collections3)
packages=()
command -v javac >/dev/null || packages+=(default-jdk-headless)
[[ -e /usr/share/java/velocity.jar ]] || packages+=(velocity)
[[ -e /usr/share/java/commons-lang.jar ]] || packages+=(libcommons-lang-java)
[[ -e /usr/share/java/commons-collections3.jar ]] || packages+=(libcommons-collections3-java)
if ((${#packages[@]} > 0)); then
	echo "installing ${packages[*]}" >&2
	sudo=()
	((EUID == 0)) || sudo=(sudo)
	"${sudo[@]}" apt-get update -qq
	"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${packages[@]}" >/dev/null
fi

classes=$PWD/../../.scratch/velocity
mkdir -p "$classes"
export VELOCITY_CLASSPATH=$classes
for jar in "${jars[@]}"; do
	VELOCITY_CLASSPATH+=:/usr/share/java/$jar.jar
done
javac -nowarn -Xlint:-options -d "$classes" -cp "$VELOCITY_CLASSPATH" Oracle.java

if [[ -n ${RECORD:-} ]]; then
	exec go test -tags velocity -count=1 -v -run '^TestRecord$' . -args -record "$(realpath "$RECORD")"
fi
exec go test -tags velocity -count=1 -timeout 60m -v -run '^(TestCorpus.*|TestDifferential)$' . -args \
	-cases "${CASES:-100000}" -seed "${SEED:-0}"
