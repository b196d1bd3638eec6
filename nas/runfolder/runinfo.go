package runfolder

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"godarts/nas/config"
	"godarts/nas/data/picture"
	"godarts/nas/names"
	"godarts/torch"
)

// RunInfo describes the program and machine that run an experiment.
type RunInfo struct {
	ID       string `json:"id,omitempty"` // drawn when the run began; empty in older runs
	Version  string `json:"version"`
	Libtorch string `json:"libtorch"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	// as torch.Processor gives it; empty in older runs
	Processor string `json:"processor,omitempty"`
	JPEG      string `json:"jpeg,omitempty"` // of a run on a folder of images, as picture.JPEGDecoder gives it; empty in older runs
	Device    string `json:"device"`
	Threads   int    `json:"threads"`        // a bit-exact resume needs the same number
	Keep      int    `json:"keep,omitempty"` // Settings.Keep, if the caller gave it
	Seed      int64  `json:"seed"`

	// Where and how the run began; absent in older runs.
	Command string    `json:"command,omitempty"` // the command line, quoted for a shell
	Started time.Time `json:"started,omitzero"`
	Host    string    `json:"host,omitempty"`
}

// CurrentRunInfo returns the RunInfo of this process for a new run of c on a device, with a new ID.
func CurrentRunInfo(c *config.Config, device torch.Device) RunInfo {
	processor, _ := torch.Processor() // an unknown processor is an error of the first scope
	jpeg := ""
	if c.Data.Name == config.ImageFolder {
		jpeg, _, _ = picture.JPEGDecoder() // opening the folder returns the error
	}
	host, _ := os.Hostname() // a machine may have none
	return RunInfo{
		Command: names.Command(os.Args...), Started: time.Now().UTC().Truncate(time.Millisecond), Host: host,
		ID: rand.Text(), Version: Version(), Libtorch: torch.Version(), Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
		Processor: processor, JPEG: jpeg, Device: device.String(), Threads: torch.Threads(), Seed: c.Seed,
	}
}

// Changes lists the differences between a, with which a run began, and now.
func (a RunInfo) Changes(now RunInfo) (lines []string) {
	for _, it := range []struct{ what, began, now string }{
		{"version", a.Version, now.Version},
		{"libtorch", a.Libtorch, now.Libtorch},
		{"platform", a.Platform, now.Platform},
		{"processor", a.Processor, now.Processor},
		{"JPEG", a.JPEG, now.JPEG},
		{"device", a.Device, now.Device},
		{"threads", strconv.Itoa(a.Threads), strconv.Itoa(now.Threads)},
	} {
		if it.began != "" && it.began != it.now {
			lines = append(lines, fmt.Sprintf("%s: the run began with %s and goes on with %s, so that it may end with other bits", it.what, it.began, it.now))
		}
	}
	return lines
}

// ReadRunInfo reads the RunInfo of the run in dir. The error wraps fs.ErrNotExist if there is none.
func ReadRunInfo(dir string) (RunInfo, error) {
	var a RunInfo
	file := filepath.Join(dir, RunFile)
	err := ReadJSON(file, &a)
	if err == nil && (a.Threads < 1 || a.Device == "") {
		err = fmt.Errorf("nas: %s: %d threads on device %q", file, a.Threads, a.Device)
	}
	if err == nil && (a.Keep < 0 || a.Keep > MaxKeep) {
		err = fmt.Errorf("nas: %s: keep: %d, wanted 1 to %d", file, a.Keep, MaxKeep)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w; restore it, or delete it and resume with the same --threads and --device as before", err)
	}
	return a, err
}
