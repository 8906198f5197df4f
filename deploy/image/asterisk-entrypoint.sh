#!/bin/sh
# Fills the shipped configuration from the environment and becomes Asterisk. The AMI secret is read from a file, as the service's is.
set -eu
umask 0007

: "${PBX_NAME:=pbx1}" "${SIP_BIND:=0.0.0.0}" "${SIP_PORT:=5060}" "${AMI_PORT:=5038}" "${RTP_START:=10000}" "${RTP_END:=19999}"
: "${RTP_TIMEOUT:=60}" "${QUALIFY_S:=60}" "${TRUNK:=127.0.0.1:5080}" "${TRUNK_MATCH:=127.0.0.1}"
: "${AMI_SECRET_FILE:=/run/secrets/ami-secret}" "${CONF_DIR:=/etc/asterisk}" "${SITE_DIR:=/site}" "${RUN_DIR:=/tmp/asterisk}"
if [ ! -r "$AMI_SECRET_FILE" ]; then
    echo "asterisk: the AMI secret $AMI_SECRET_FILE is not there, or cannot be read by user $(id -u)" >&2
    exit 1
fi
AMI_SECRET=$(head -n 1 "$AMI_SECRET_FILE")
[ ${#AMI_SECRET} -ge 32 ] || { echo "asterisk: the AMI secret in $AMI_SECRET_FILE is shorter than 32 characters" >&2; exit 1; }

ETC_DIR=$CONF_DIR LOG_DIR=/var/log/asterisk DATA_DIR=/var/lib/asterisk SPOOL_DIR=/var/spool/asterisk
SHARE_DIR=/usr/share/asterisk MUSIC_DIR=/usr/share/asterisk/moh RUN_USER=asterisk
MODULE_DIR=$(dirname "$(find /usr/lib -path '*/asterisk/modules/chan_pjsip.so' | head -n 1)")

from=/usr/share/nobat/asterisk-conf
mkdir -p "$CONF_DIR/dialplan" "$RUN_DIR"
program=
for name in PBX_NAME SIP_BIND SIP_PORT AMI_PORT RTP_START RTP_END RTP_TIMEOUT QUALIFY_S TRUNK TRUNK_MATCH AMI_SECRET \
    ETC_DIR RUN_DIR LOG_DIR DATA_DIR SPOOL_DIR SHARE_DIR MUSIC_DIR RUN_USER MODULE_DIR; do
    eval "value=\$$name"
    case $value in *['|\&']*) echo "asterisk: $name has a character that cannot be used" >&2; exit 1 ;; esac
    program="$program;s|@$name@|$value|g"
done
for file in "$from"/*.conf "$from"/dialplan/*.conf; do
    target=$CONF_DIR/${file#"$from"/}
    sed "${program#;}" "$file" > "$target"
    # A name without a value would be taken for a word. (Comments may speak of @NAME@.)
    if grep -v '^;' "$target" | grep -q '@[A-Z_][A-Z_]*@'; then
        echo "asterisk: nothing is known for a placeholder in $file" >&2
        exit 1
    fi
done
# The site's own: its phones, and the queues by which Asterisk serves callers while the service is gone (`nobat fallback`).
# Linked, so that a reload takes what is new there, and nothing needs to be restarted.
for name in pjsip-phones.conf nobat-queues.conf; do
    if [ -e "$SITE_DIR/$name" ] && [ ! -r "$SITE_DIR/$name" ]; then
        echo "asterisk: $SITE_DIR/$name cannot be read by user $(id -u): chown it" >&2
        exit 1
    fi
    ln -sf "$SITE_DIR/$name" "$CONF_DIR/$name"
done
# Queues may come later; phones are included without asking whether they are there.
[ -e "$SITE_DIR/pjsip-phones.conf" ] || { rm "$CONF_DIR/pjsip-phones.conf"; : > "$CONF_DIR/pjsip-phones.conf"; }
exec asterisk -f -C "$CONF_DIR/asterisk.conf"
