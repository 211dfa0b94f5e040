package vuln

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/breakwater-sec/breakwater/vuln/vendor"
)

// xml reads a file of a distribution's updates.
func (in *intake) xml(name string, r io.Reader) error {
	return vendor.XML(r, func(at string, record *vendor.Record, why error) error {
		return in.vendorRecord(name+" "+at, record, why)
	})
}

// vendors files a document that a distribution publishes in a form of its own: CSAF, or an entry of Photon's list.
func (in *intake) vendors(name, at string, data []byte) error {
	if record, is, err := vendor.Photon(name, data); is {
		return in.vendorRecord(at, record, err)
	}
	records, is, err := vendor.CSAF(data)
	if !is {
		err = errors.Join(fmt.Errorf("want an OSV record, or CSAF: got an object with %s", keysOf(data)), err)
	}
	if err != nil {
		return in.vendorRecord(at, nil, err)
	}
	for _, r := range records {
		if err := in.vendorRecord(at, r, nil); err != nil {
			return err
		}
	}
	return nil
}

// vendorRecord files a record that was written from another form, as any other.
func (in *intake) vendorRecord(at string, record *vendor.Record, why error) error {
	if why != nil {
		return in.count(at, leftOut(why))
	}
	text, err := json.Marshal(record)
	if err != nil {
		return in.count(at, leftOut(err))
	}
	return in.count(at, in.record(text))
}
