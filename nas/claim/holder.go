package claim

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"godarts/nas/names"
)

// Holder is the process that holds a claim.
type Holder struct {
	Host         string    `json:"host"`
	PID          int       `json:"pid"`
	Since        time.Time `json:"since"`
	StaleSeconds float64   `json:"stale_seconds"` // age at which the claim is stale

	// Kernel names a boot and a PID namespace, since containers of one machine can share a host
	// name. With the time when the process started it makes PID unique.
	Kernel string `json:"kernel,omitempty"`
	Start  string `json:"start,omitempty"`
}

// String names process, host and time.
func (h Holder) String() string {
	if h.PID == 0 {
		return "a process that is just starting"
	}
	return fmt.Sprintf("process %d on %s since %s", h.PID, names.Print(h.Host), h.Since.Format(time.DateTime))
}

// kernel returns the boot and the PID namespace of this process, empty if they are unknown.
var kernel = sync.OnceValue(func() string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	namespace, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(boot)) + " " + namespace
})

// self returns this process as a holder.
func self(stale time.Duration) Holder {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown host"
	}
	_, start, _ := process(os.Getpid())
	return Holder{Host: host, PID: os.Getpid(), Since: time.Now().Round(time.Second), StaleSeconds: stale.Seconds(), Kernel: kernel(), Start: start}
}

// dead tells whether h is known to have ended. Of processes on other machines that is unknown.
func (h Holder) dead() bool {
	if h.Kernel == "" || h.Kernel != kernel() {
		return false
	}
	if errors.Is(syscall.Kill(h.PID, 0), syscall.ESRCH) {
		return true
	}
	state, start, ok := process(h.PID)
	return ok && (start != h.Start || state == "Z" || state == "X")
}

// process returns the state of a process ("R", "Z") and when it started, in ticks since the
// boot. ok is false if /proc does not show the process.
func process(pid int) (state, start string, ok bool) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return "", "", false
	}
	// The third field and the others follow the name, which may hold any characters.
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	const stateField, startField = 3, 22
	if len(fields) <= startField-3 {
		return "", "", false
	}
	return fields[stateField-3], fields[startField-3], true
}
