# Sets $python to the driver's Python, in an environment of its own that is
# made when it is missing or its requirements have changed.
cache=$here/../../build/peers/venv/driver
python=$cache/bin/python
wanted=$(sha256sum <"$here/requirements/driver.txt")
if [ "$(cat "$cache/installed" 2>/dev/null)" != "$wanted" ]; then
	rm -rf "$cache"
	python3 -m venv "$cache"
	"$python" -m pip install --quiet --disable-pip-version-check -r "$here/requirements/driver.txt"
	echo "$wanted" >"$cache/installed"
fi
