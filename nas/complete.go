package nas

import (
	"godarts/nas/runfolder"
)

// complete writes the result, after which nothing goes back to the earlier checkpoints. They are
// removed before, so that the disk knows of both.
func (r *Run) complete(result any) error {
	if err := r.owns(); err != nil {
		return err
	}
	if err := runfolder.KeepOnly(r.Dir, 1); err != nil {
		return err
	}
	return r.writeJSON(runfolder.ResultFile, result)
}
