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

// DataFile is what a run folder says of the data.
const DataFile = "data.json"

// ProtocolConfigFolder is, in the folder of a protocol, where its resolved configs are.
const ProtocolConfigFolder = "config"

// DataManifest is what the data of a run is, and what a look at its files found.
type DataManifest struct {
	fingerprint.Fingerprint
	Checked    string            `json:"checked,omitempty"`    // data.check of the look, empty if there was none
	Train      int               `json:"train,omitempty"`      // training images that it took in
	Test       bool              `json:"test,omitempty"`       // whether it took in the test images
	Unreadable []data.Unreadable `json:"unreadable,omitempty"` // what cannot be read and is left out
}

// ReadDataManifest reads what the file says; there is false if there is no such file.
func ReadDataManifest(file string) (d DataManifest, there bool, err error) {
	err = ReadJSON(file, &d)
	if errors.Is(err, fs.ErrNotExist) {
		return d, false, nil
	}
	if err != nil {
		return d, true, fmt.Errorf("%w; put it back, or delete it to go on without knowing whether the data has changed", err)
	}
	return d, true, nil
}

// CheckUnchanged is an error that names what is different now, in the data that file describes.
func (d DataManifest) CheckUnchanged(now fingerprint.Fingerprint, file string) error {
	changes := d.Changes(now)
	if changes == "" && !d.plausible() {
		return fmt.Errorf("nas: %s is damaged: it tells of a look at files that no run makes; put it back, or delete it to go on without knowing whether the data has changed", names.Escape(file))
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
	return fmt.Errorf("nas: the data has changed since %s was begun: %s; put it back as it was, begin anew in another folder, or delete %s to go on with it as it is",
		names.Escape(dir), changes, names.Escape(file))
}

// plausible tells whether a look can have found what d says of it.
func (d DataManifest) plausible() bool {
	most := 0
	for _, p := range d.Parts {
		most = max(most, p.Size())
	}
	return slices.Contains([]string{"", config.Decode, config.Header}, d.Checked) && d.Train >= 0 && d.Train <= most
}

// SharedData is what the data is of all that one process runs in a folder.
type SharedData struct {
	DataManifest
	ManifestFile string
}

// WriteJSONOnce writes v as JSON unless the file is there already, which it leaves.
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
