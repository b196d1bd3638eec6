package runfolder

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"godarts/nas/config"
	"godarts/nas/data"
	"godarts/nas/data/fingerprint"
	"godarts/nas/names"
	"godarts/nas/wholefile"
)

// DataFile is the manifest of the data in a run folder.
const DataFile = "data.json"

// ProtocolConfigFolder is the folder of the resolved configs in a protocol's folder.
const ProtocolConfigFolder = "config"

// DataManifest describes the data of a run, and the result of an inspection of its files.
type DataManifest struct {
	fingerprint.Fingerprint
	Checked    string            `json:"checked,omitempty"`    // data.check of the inspection, empty if there was none
	Train      int               `json:"train,omitempty"`      // number of inspected training images
	Test       bool              `json:"test,omitempty"`       // whether the test images were inspected
	Unreadable []data.Unreadable `json:"unreadable,omitempty"` // images that cannot be read and are excluded
}

// ReadDataManifest reads a manifest; there is false if the file does not exist.
func ReadDataManifest(file string) (d DataManifest, there bool, err error) {
	err = ReadJSON(file, &d)
	if errors.Is(err, fs.ErrNotExist) {
		return d, false, nil
	}
	if err != nil {
		return d, true, fmt.Errorf("%w; restore it, or delete it to go on without knowing whether the data has changed", err)
	}
	return d, true, nil
}

// CheckUnchanged returns an error with the changes if the data, which is now of this fingerprint,
// differs from the manifest d, which was read from file.
func (d DataManifest) CheckUnchanged(now fingerprint.Fingerprint, file string) error {
	changes := d.Changes(now)
	if changes == "" && !d.plausible() {
		return fmt.Errorf("nas: %s is damaged: no run writes such a record of its files; restore it, or delete it to go on without knowing whether the data has changed", names.Escape(file))
	}
	if changes == "" {
		return nil
	}
	if file == "" {
		return fmt.Errorf("nas: the data has changed meanwhile: %s", changes)
	}
	dir := filepath.Dir(file)
	if filepath.Base(dir) == ProtocolConfigFolder { // of a protocol
		dir = filepath.Dir(dir)
	}
	return fmt.Errorf("nas: the data has changed since %s was begun: %s; restore it, start a new run in another folder, or delete %s to go on with it as it is",
		names.Escape(dir), changes, names.Escape(file))
}

// plausible reports whether an inspection can have the result d.
func (d DataManifest) plausible() bool {
	most := 0
	for _, p := range d.Parts {
		most = max(most, p.Size())
	}
	return slices.Contains([]string{"", config.Decode, config.Header}, d.Checked) && d.Train >= 0 && d.Train <= most
}

// SharedData is the manifest of the data that several runs of this process use.
type SharedData struct {
	DataManifest
	ManifestFile string
}

// WriteJSONOnce writes v as JSON if the file does not exist, and else leaves it.
func WriteJSONOnce(file string, v any) error {
	text, err := asJSON(file, v)
	if err != nil {
		return err
	}
	err = wholefile.MakeFolder(filepath.Dir(file))
	if err == nil {
		err = wholefile.WriteFirst(file, text)
	}
	if err != nil {
		return fmt.Errorf("nas: write %s: %w", file, err)
	}
	return nil
}
