package texts

import (
	"math/rand/v2"

	"godarts/nas/config"
)

// DrawLength is draw for tests outside of the package.
func (f *Feed) DrawLength(r *rand.Rand) int { return f.draw(r) }

// Config is the config of f for tests outside of the package.
func (f *Feed) Config() *config.Config { return f.config }
