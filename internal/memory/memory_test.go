package memory

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

const machineInfo = "MemTotal:  100 kB\nMemFree: 10 kB\nMemAvailable:   64 kB\n"

func TestTheLeastOfAllLimitsCounts(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"the machine alone": {nil, 64 << 10},
		"a group without a limit": {map[string]string{
			"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/memory.max": "max\n", "sys/fs/cgroup/a/memory.current": "5\n"}, 64 << 10},
		"a limit of version 2": {map[string]string{
			"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "20000\n", "sys/fs/cgroup/a/b/memory.current": "15000\n",
			"sys/fs/cgroup/a/b/memory.stat": "anon 9000\ninactive_file 4000\n"}, 9000},
		"a limit above": {map[string]string{
			"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/memory.max": "3000\n", "sys/fs/cgroup/a/memory.current": "1000\n"}, 2000},
		"a path of outside": {map[string]string{
			"proc/self/cgroup": "0::/../../x\n", "sys/fs/cgroup/memory.max": "3000\n", "sys/fs/cgroup/memory.current": "2500\n"}, 500},
		"used up": {map[string]string{
			"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "3000\n", "sys/fs/cgroup/memory.current": "3500\n"}, 0},
		"a limit of version 1": {map[string]string{
			"proc/self/cgroup": "5:cpu,cpuacct:/\n4:memory:/q\n", "sys/fs/cgroup/memory/q/memory.limit_in_bytes": "9000\n",
			"sys/fs/cgroup/memory/q/memory.usage_in_bytes": "5000\n", "sys/fs/cgroup/memory/q/memory.stat": "total_inactive_file 1000\n"}, 5000},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			files := map[string]string{"proc/meminfo": machineInfo}
			maps.Copy(files, c.files)
			for path, content := range files {
				path = filepath.Join(root, path)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if got, err := available(root); err != nil || got != c.want {
				t.Errorf("%d, %v, want %d", got, err, c.want)
			}
		})
	}
}

func TestWhereNothingIsTold(t *testing.T) {
	if _, err := available(t.TempDir()); !errors.Is(err, ErrUnknown) {
		t.Errorf("%v, want ErrUnknown", err)
	}
	if n, err := Available(); runtime.GOOS == "linux" && (err != nil || n <= 0) {
		t.Errorf("on this machine: %d, %v", n, err)
	}
}
