package exposure

// ingresses judges ingresses through their controllers.
func (j *judge) ingresses() {}
