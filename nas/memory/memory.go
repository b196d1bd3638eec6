package memory

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// machineMemory returns how much memory in bytes this process can use: that of the machine, or less if
// a control group or a process limit says so. It is +Inf if nothing says.
func machineMemory() float64 {
	most := math.Inf(1)
	if text, err := os.ReadFile("/proc/meminfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "MemTotal:" {
				if n, err := strconv.ParseFloat(fields[1], 64); err == nil {
					most = 1024 * n // kilobytes
				}
			}
		}
	}
	for _, file := range []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		if n, err := strconv.ParseFloat(strings.TrimSpace(string(text)), 64); err == nil { // not "max", which is no limit
			most = min(most, n)
		}
	}
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_AS, &limit) == nil {
		most = min(most, float64(limit.Cur))
	}
	return most
}

// inBytes returns a size in words: "1.5 GB".
func inBytes(n float64) string {
	const step = 1000
	units := []string{"B", "kB", "MB", "GB", "TB", "PB", "EB"}
	for n >= step && len(units) > 1 {
		n, units = n/step, units[1:]
	}
	return fmt.Sprintf("%.3g %s", n, units[0])
}
