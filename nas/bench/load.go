package bench

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"godarts/nas/report"
)

// load is what computed on the whole machine while the steps ran: busy seconds of all cores, those of the programs that
// are measured, and the time that passed.
type load struct {
	busy, own, wall float64
}

// quiet is the greatest number of cores that others may use while the machine counts as quiet.
const quiet = report.UnderLoad

// leastWall is the time in seconds below which the kernel's clock, of 10 ms, is too coarse for a load.
const leastWall = 1

// others returns the number of cores that other processes used on average, 0 if the steps were too short to tell.
func (l load) others() float64 {
	if l.wall < leastWall {
		return 0
	}
	return max(0, (l.busy-l.own)/l.wall)
}

// note says that the times were taken under load, or nothing.
func (l load) note() []string {
	others := l.others()
	if others <= quiet {
		return nil
	}
	return []string{fmt.Sprintf("taken under load: other processes used %.2g cores meanwhile", others)}
}

// during adds what computes while the step runs.
func (l *load) during(processes []*process, step func() error) error {
	own := func() (sum float64) {
		for _, p := range processes {
			sum += p.cpuSeconds()
		}
		return sum
	}
	began, busy, used := time.Now(), busySeconds(), own()
	if err := step(); err != nil {
		return err
	}
	l.busy += busySeconds() - busy
	l.own += own() - used
	l.wall += time.Since(began).Seconds()
	return nil
}

// busySeconds returns how long all cores have computed since the machine started, this one's share and what the host
// gave to other machines; 0 where the kernel does not tell.
func busySeconds() float64 {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	return parseBusySeconds(string(stat))
}

// parseBusySeconds adds the fields of the first line of a /proc/stat but idle and iowait, which are the fourth and
// fifth. The last two, guest and guest_nice, are part of the first two.
func parseBusySeconds(stat string) float64 {
	line, _, _ := strings.Cut(stat, "\n")
	ticks := 0
	for i, field := range strings.Fields(line) {
		n, _ := strconv.Atoi(field) // the name of the line counts as 0
		if i != 4 && i != 5 && i <= 8 {
			ticks += n
		}
	}
	return float64(ticks) / ticksPerSecond
}
