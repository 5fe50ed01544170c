# What the test of a boot runs in the released system. The last line says how many checks found something wrong.
wrong=0

is() { # NAME FOUND EXPECTED
  if [ "$2" = "$3" ]; then
    echo "check: $1: ok"
  else
    echo "check: $1: expected '$3', got '$2'"
    wrong=$((wrong + 1))
  fi
}

is pipes "$(seq 1 100 | grep 7 | wc -l)" 19
echo one > /tmp/check
echo two >> /tmp/check
is redirection "$(cat /tmp/check)" "$(printf 'one\ntwo')"
cp /tmp/check /tmp/copy
mv /tmp/copy /tmp/moved
is files "$(sort -r < /tmp/moved | head -n 1)" two
rm /tmp/check /tmp/moved
is removal "$(test -e /tmp/moved && echo still there)" ""
sleep 0.1 &
wait $!
is jobs $? 0
false
is status $? 1
is release "$(grep -c '^VERSION_ID=' /etc/os-release)" 1
is name "$(uname)" "$(grep '^NAME=' /etc/os-release | cut -d = -f 2)"
echo "check: $wrong wrong"
