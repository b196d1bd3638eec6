package tensorboard

import (
	"encoding/binary"
	"hash/crc32"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendFrame appends data as a record of TensorFlow's TFRecord format: its length in 8 bytes, their
// checksum, data, and its checksum, all little-endian.
//
// As tensorflow/core/lib/io/record_writer.h says.
func appendFrame(to, data []byte) []byte {
	head := binary.LittleEndian.AppendUint64(nil, uint64(len(data)))
	to = append(to, head...)
	to = binary.LittleEndian.AppendUint32(to, checksum(head))
	to = append(to, data...)
	return binary.LittleEndian.AppendUint32(to, checksum(data))
}

// checksum returns the CRC-32C of data, masked so that data which holds checksums has one of its own.
func checksum(data []byte) uint32 {
	sum := crc32.Checksum(data, castagnoli)
	return (sum>>15 | sum<<17) + 0xa282ead8 // tensorflow/core/lib/hash/crc32c.h, Mask
}
