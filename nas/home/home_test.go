package home_test

import (
	"testing"

	"godarts/nas/home"
)

func TestExpand(t *testing.T) {
	// Expand replaces a ~ at the start by the home folder, and refuses the home of another user.
	t.Setenv("HOME", "/home/me")
	for path, want := range map[string]string{
		"~": "/home/me", "~/": "/home/me", "~/x/y z": "/home/me/x/y z",
		"": "", "x": "x", "/x": "/x", "./~": "./~", "x/~/y": "x/~/y", "x~": "x~",
	} {
		if got, err := home.Expand(path); err != nil || got != want {
			t.Errorf("%q: got %q, %v, want %q", path, got, err, want)
		}
	}
	want := "~you/x: the home of another user is not looked up: write the whole path (or ./~you for a file of that name)"
	if got, err := home.Expand("~you/x"); err == nil || err.Error() != want {
		t.Errorf("got %q, %v, want %s", got, err, want)
	}
	t.Setenv("HOME", "")
	if got, err := home.Expand("~/x"); err == nil {
		t.Errorf("without a home: %q", got)
	}
}

func TestDataRoot(t *testing.T) {
	// DataRoot takes the first of argument, environment and home when several are set.
	t.Setenv("HOME", "/home/somebody")
	for _, c := range []struct{ name, given, env, want string }{
		{"argument", "a", "b", "a"},
		{"environment", "", "b", "b"},
		{"home", "", "", "/home/somebody/.cache/godarts"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("GODARTS_DATA", c.env)
			if got := home.DataRoot(c.given); got != c.want {
				t.Errorf("DataRoot(%q) = %q, want %q", c.given, got, c.want)
			}
		})
	}
}
