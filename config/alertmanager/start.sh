#!/bin/sh
# start.sh OUTPUT [COMMAND…]: writes the configuration with the values of the environment, then becomes the command.
set -eu
umask 077
FOLDER=$(cd "$(dirname "$0")" && pwd)
export FOLDER

output=$1
shift
# index() and substr() take values literally: sub() would give & and \ a meaning.
awk '
    function put(line, name,    token, at) {
        token = "@" name "@"
        while ((at = index(line, token)) > 0)
            line = substr(line, 1, at - 1) ENVIRON[name] substr(line, at + length(token))
        return line
    }
    /^ *#/ { next }
    / # if [A-Z_]+$/ {
        if (ENVIRON[$NF] == "") next
        sub(/ # if [A-Z_]+$/, "")
    }
    { print put(put(put(put($0, "TELEGRAM_BOT_TOKEN"), "TELEGRAM_CHAT_ID"), "ALERT_WEBHOOK_URL"), "FOLDER") }
' "$FOLDER/alertmanager.yml" >"$output"

[ $# -eq 0 ] || exec "$@"
