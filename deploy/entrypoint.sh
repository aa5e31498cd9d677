#!/bin/sh
# Secrets come as files: for each of these, NAME_FILE names a file that holds the value of NAME.
set -eu
for name in DATABASE_URL HOOP_QUEUE_URL REDIS_URL; do
  eval "file=\${${name}_FILE:-}"
  if [ -n "$file" ]; then
    value=$(cat "$file")
    export "$name=$value"
    unset "${name}_FILE"
  fi
done
exec "$@"
