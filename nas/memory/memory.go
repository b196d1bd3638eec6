package memory

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// machineMemory is the most that this process can have in bytes: what the machine has, or
// less where a control group or a limit of the process says so. It is +Inf where nothing does.
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
		if n, err := strconv.ParseFloat(strings.TrimSpace(string(text)), 64); err == nil { // "max" is none
			most = min(most, n)
		}
	}
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_AS, &limit) == nil {
		most = min(most, float64(limit.Cur))
	}
	return most
}

// inBytes is a size in words: "1.5 GB".
func inBytes(n float64) string {
	const step = 1000
	units := []string{"B", "kB", "MB", "GB", "TB", "PB", "EB"}
	for n >= step && len(units) > 1 {
		n, units = n/step, units[1:]
	}
	return fmt.Sprintf("%.3g %s", n, units[0])
}
