package detect

import "container/list"

// recent holds the entries used last, up to a bound.
type recent[K comparable, V any] struct {
	most    int
	order   *list.List // of *entry[K, V], used last first
	entries map[K]*list.Element
	gone    func(K, V) // hears of what is forgotten
}

type entry[K comparable, V any] struct {
	key   K
	value V
}

func newRecent[K comparable, V any](most int, gone func(K, V)) *recent[K, V] {
	return &recent[K, V]{most, list.New(), map[K]*list.Element{}, gone}
}

func (r *recent[K, V]) get(k K) (v V, ok bool) {
	e, ok := r.entries[k]
	if !ok {
		return v, false
	}
	r.order.MoveToFront(e)
	return e.Value.(*entry[K, V]).value, true
}

// all are the values, used first first.
func (r *recent[K, V]) all() (out []V) {
	for e := r.order.Back(); e != nil; e = e.Prev() {
		out = append(out, e.Value.(*entry[K, V]).value)
	}
	return out
}

func (r *recent[K, V]) put(k K, v V) {
	if e, ok := r.entries[k]; ok {
		e.Value.(*entry[K, V]).value = v
		r.order.MoveToFront(e)
		return
	}
	r.entries[k] = r.order.PushFront(&entry[K, V]{k, v})
	if r.order.Len() > r.most {
		r.remove(r.order.Back())
	}
}

func (r *recent[K, V]) drop(k K) {
	if e, ok := r.entries[k]; ok {
		r.remove(e)
	}
}

func (r *recent[K, V]) remove(e *list.Element) {
	old := r.order.Remove(e).(*entry[K, V])
	delete(r.entries, old.key)
	if r.gone != nil {
		r.gone(old.key, old.value)
	}
}
