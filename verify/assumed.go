package verify

import "strings"

// AssumedKey is the name in the metadata_props of an exported file under which it says what its numbers depend on and the
// checkpoint did not tell.
const AssumedKey = "assumed"

// maxAssumed is how many bytes of it are shown: a file may say anything.
const maxAssumed = 200

// Assumed is what the file says that its export assumed: no check of the file alone can prove it. "" where it says nothing.
func (f *Facts) Assumed() string {
	text := f.Metadata[AssumedKey]
	if len(text) > maxAssumed {
		text = strings.ToValidUTF8(text[:maxAssumed], "") + "…"
	}
	return text
}
