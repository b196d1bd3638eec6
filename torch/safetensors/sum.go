package safetensors

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"godarts/torch"
)

// blankSum stands in the place of a checksum while it is taken.
var blankSum = strings.Repeat("0", 2*sha256.Size)

// WithSum encodes what Write writes, with a checksum of the file
// beside the metadata under key. The sum is the SHA-256 of all bytes, in hexadecimal, with
// zeros in its own place. The result is a plain safetensors file.
func WithSum(sd torch.StateDict, metadata map[string]string, key string) ([]byte, error) {
	texts := map[string]string{key: blankSum}
	for k, v := range metadata {
		if k != key {
			texts[k] = v
		}
	}
	var b bytes.Buffer
	if err := Write(&b, sd, texts); err != nil {
		return nil, err
	}
	content := b.Bytes()
	s, err := Read(content)
	if err != nil {
		return nil, err
	}
	copy(content[s.ends[key]-len(blankSum):], s.sum(key))
	return content, nil
}

// CheckSum compares the file, which is open, with the checksum that WithSum left
// under key: found tells whether there is one, fits whether it is that of the file.
func (s *File) CheckSum(key string) (found, fits bool) {
	stored, found := s.metadata[key]
	if !found || s.closed || len(stored) != len(blankSum) || !bytes.HasSuffix(s.header[:s.ends[key]], []byte(stored)) {
		return found, false
	}
	return true, s.sum(key) == stored
}

// sum is the checksum of the file, whose place ends where the text of key does.
func (s *File) sum(key string) string {
	end := s.ends[key]
	h := sha256.New()
	h.Write(s.header[:end-len(blankSum)])
	h.Write([]byte(blankSum))
	h.Write(s.header[end:])
	h.Write(s.data)
	return hex.EncodeToString(h.Sum(nil))
}
