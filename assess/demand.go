package assess

import (
	"cmp"
	"maps"
	"slices"
)

// demand is what clusters use and what registries list, and so which images there
// are. Every answer is a function of what was told, in any order:
// a node may name an image by its index, by the manifest of its platform or by its
// configuration, before or after a registry lists it or it is read.
type demand struct {
	wants map[string]map[Key]Use // by cluster
	// uses are the wants by the digest or name that they come to, then by cluster.
	uses  map[string]map[string]map[Key]Use
	users map[Key]int // clusters with such a want
	// digests of references that were resolved.
	digests map[string]string
	places  map[string][]Place  // where registries list an image
	of      map[string][]string // digest of a build → images it is a build of, sorted
	builds  map[string][]string // image → digests of its builds
	uploads map[string]Upload   // what builds told, by image
	// exposed are the images that a cluster runs where the internet reaches them, by cluster.
	exposed map[string]map[string]bool
}

func newDemand() demand {
	return demand{wants: map[string]map[Key]Use{}, uses: map[string]map[string]map[Key]Use{}, users: map[Key]int{},
		digests: map[string]string{}, of: map[string][]string{}, builds: map[string][]string{},
		exposed: map[string]map[string]bool{}}
}

// want replaces what a cluster uses. It returns the digests and names that this
// concerns, and the keys that no cluster has any more.
func (d *demand) want(cluster string, uses []Use) (touched []string, dropped []Key) {
	old, now := d.wants[cluster], make(map[Key]Use, len(uses))
	for _, u := range uses {
		if have, twice := now[u.Key()]; twice {
			u.Running, u.Pulled = u.Running || have.Running, u.Pulled || have.Pulled
		}
		now[u.Key()] = u
	}
	for key, u := range old {
		if _, stays := now[key]; stays {
			continue
		}
		touched = append(touched, d.drop(cluster, key, u))
		if d.users[key]--; d.users[key] == 0 {
			delete(d.users, key)
			dropped = append(dropped, key)
		}
	}
	for key, u := range now {
		have, known := old[key]
		if !known {
			d.users[key]++
		}
		if have != u {
			touched = append(touched, d.put(cluster, key, u))
		}
	}
	d.wants[cluster] = now
	return touched, dropped
}

// put and drop keep uses, by what the use comes to.
func (d *demand) put(cluster string, key Key, u Use) string {
	if digest := d.digests[u.ID]; u.Resolve && digest != "" {
		u.ID, u.Digest, u.Reference = digest, digest, u.Place().At(digest)
	}
	if d.uses[u.ID] == nil {
		d.uses[u.ID] = map[string]map[Key]Use{}
	}
	if d.uses[u.ID][cluster] == nil {
		d.uses[u.ID][cluster] = map[Key]Use{}
	}
	d.uses[u.ID][cluster][key] = u
	return u.ID
}

func (d *demand) drop(cluster string, key Key, u Use) string {
	id := u.ID
	if digest := d.digests[id]; u.Resolve && digest != "" {
		id = digest
	}
	delete(d.uses[id][cluster], key)
	if len(d.uses[id][cluster]) == 0 {
		delete(d.uses[id], cluster)
	}
	if len(d.uses[id]) == 0 {
		delete(d.uses, id)
	}
	return id
}

// resolve notes the digest behind a reference.
func (d *demand) resolve(reference, digest string) (touched []string) {
	key := Key{reference, reference, true}
	for cluster, wants := range d.wants {
		if u, uses := wants[key]; uses {
			touched = append(touched, d.drop(cluster, key, u))
		}
	}
	d.digests[reference] = digest
	for cluster, wants := range d.wants {
		if u, uses := wants[key]; uses {
			touched = append(touched, d.put(cluster, key, u))
		}
	}
	return touched
}

// list replaces what registries list.
func (d *demand) list(places map[string][]Place) (touched []string) {
	for id, now := range places {
		if !slices.EqualFunc(d.places[id], now, Place.equal) {
			touched = append(touched, id)
		}
	}
	for id := range d.places {
		if places[id] == nil {
			touched = append(touched, id)
		}
	}
	d.places = places
	return touched
}

// join notes that digests mean one image.
func (d *demand) join(builds []Build) (touched []string) {
	for _, b := range builds {
		if at, known := slices.BinarySearch(d.of[b.Digest], b.ID); !known {
			d.of[b.Digest] = slices.Insert(d.of[b.Digest], at, b.ID)
			d.builds[b.ID] = append(d.builds[b.ID], b.Digest)
			touched = append(touched, b.Digest, b.ID)
		}
	}
	return touched
}

func (d *demand) listed(id string) bool { return len(d.places[id]) > 0 }

// image is the id of the image that a digest or name means: its own if a registry
// lists it, else that of a listed image it is a build of.
func (d *demand) image(name string) string {
	if !d.listed(name) {
		for _, id := range d.of[name] {
			if d.listed(id) {
				return id
			}
		}
	}
	return name
}

// related are the names and everything whose standing may depend on theirs.
func (d *demand) related(names []string) map[string]bool {
	out := make(map[string]bool, len(names))
	for _, name := range names {
		out[name] = true
		for _, id := range d.of[name] {
			out[id] = true
		}
		for _, build := range d.builds[name] {
			out[build] = true
			for _, id := range d.of[build] {
				out[id] = true
			}
		}
	}
	return out
}

// standing is what clusters and registries make of one image.
type standing struct {
	users   []string // clusters, sorted
	use     *Use     // the use that speaks for all
	running bool
	exposed bool
	places  []Place
	upload  *Upload // nil if no build told of it
}

func (s *standing) there() bool { return len(s.users)+len(s.places) > 0 || s.upload != nil }

func (s *standing) urgency() Urgency {
	switch {
	case s.running && s.exposed:
		return Exposed
	case s.running:
		return Running
	case len(s.users) > 0:
		return Named
	}
	return Listed
}

// names are the digests and names that mean the image.
func (d *demand) names(id string) []string {
	return slices.DeleteFunc(append([]string{id}, d.builds[id]...), func(name string) bool { return d.image(name) != id })
}

func (d *demand) standing(id string) (s standing) {
	s.places = d.places[id]
	if u, told := d.uploads[id]; told {
		s.upload = &u
	}
	users := map[string]bool{}
	for _, name := range d.names(id) {
		for cluster, uses := range d.uses[name] {
			users[cluster] = true
			for _, u := range uses {
				if s.use == nil || u.before(*s.use) {
					s.use = &u
				}
			}
		}
	}
	s.users = slices.Sorted(maps.Keys(users))
	if s.there() {
		s.running, s.exposed = d.running(id), d.isExposed(id)
	}
	if s.use != nil {
		s.use.ID, s.use.Running, s.use.Pulled, s.use.Resolve = id, s.running, false, false
	}
	return s
}

// expose replaces which images a cluster runs where the internet reaches them, and returns those that differ.
func (d *demand) expose(cluster string, images []string) (touched []string) {
	old, now := d.exposed[cluster], make(map[string]bool, len(images))
	for _, id := range images {
		if now[id] = true; !old[id] {
			touched = append(touched, id)
		}
	}
	for id := range old {
		if !now[id] {
			touched = append(touched, id)
		}
	}
	if d.exposed[cluster] = now; len(now) == 0 {
		delete(d.exposed, cluster)
	}
	return touched
}

// isExposed says whether a cluster runs the image, or a digest that means it, where the internet reaches it.
func (d *demand) isExposed(id string) bool {
	for _, name := range slices.Concat([]string{id}, d.of[id], d.builds[id]) {
		for _, exposed := range d.exposed {
			if exposed[name] {
				return true
			}
		}
	}
	return false
}

// running says whether a container runs the image, or another that it is a build
// of, or a build of it.
func (d *demand) running(id string) bool {
	for _, name := range slices.Concat([]string{id}, d.of[id], d.builds[id]) {
		for _, uses := range d.uses[name] {
			for _, u := range uses {
				if u.Running {
					return true
				}
			}
		}
	}
	return false
}

// before orders uses of one image: the first speaks for it.
func (u Use) before(v Use) bool {
	return cmp.Or(cmp.Compare(u.Name, v.Name), cmp.Compare(u.Reference, v.Reference), cmp.Compare(u.Digest, v.Digest)) < 0
}

func (p Place) equal(q Place) bool { return p.Name() == q.Name() && slices.Equal(p.Tags, q.Tags) }
