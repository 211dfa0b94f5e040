-- What of the body of an alert lists show. fillAlertHeads gives it to older alerts.
ALTER TABLE alerts ADD COLUMN title TEXT NOT NULL DEFAULT '';
ALTER TABLE alerts ADD COLUMN actor TEXT NOT NULL DEFAULT '';
ALTER TABLE alerts ADD COLUMN about TEXT NOT NULL DEFAULT '';
ALTER TABLE alerts ADD COLUMN techniques TEXT NOT NULL DEFAULT '';
ALTER TABLE alerts ADD COLUMN namespaces TEXT NOT NULL DEFAULT '';
