PRAGMA application_id = 1397511497;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE meta (key TEXT PRIMARY KEY, value NUMERIC) WITHOUT ROWID;
INSERT INTO meta VALUES('auditHead','{"seq":2,"hash":"d191e742caf76c33e33ee3dee45f6fead0237078d7912527cc94aac4c71e95ad"}');
INSERT INTO meta VALUES('lastEvent',1);
INSERT INTO meta VALUES('probe',X'');
INSERT INTO meta VALUES('revision',3);
CREATE TABLE entries (key TEXT PRIMARY KEY, value TEXT NOT NULL, revision INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO entries VALUES('services/shop/weights','{"v1":90,"v2":10}',3);
CREATE TABLE audit (
    seq INTEGER PRIMARY KEY, at TEXT NOT NULL, actor TEXT NOT NULL, role TEXT NOT NULL, address TEXT NOT NULL,
    request_id TEXT NOT NULL, action TEXT NOT NULL, target TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL,
    reason TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL
  );
INSERT INTO audit VALUES(1,'2026-01-01T00:00:00.000Z','ci','operator','127.0.0.1','r-1','weights.set','services/shop/weights','{"v1":100}','{"v1":95,"v2":5}','a try','0000000000000000000000000000000000000000000000000000000000000000','ddf1239ed10cbd1a324f7677dc27b9d65bdb53863dadaa34f3c9a01d78fbb36e');
INSERT INTO audit VALUES(2,'2026-01-01T00:00:00.000Z','ci','operator','127.0.0.1','r-1','weights.set','services/shop/weights','{"v1":95,"v2":5}','{"v1":90,"v2":10}','','ddf1239ed10cbd1a324f7677dc27b9d65bdb53863dadaa34f3c9a01d78fbb36e','d191e742caf76c33e33ee3dee45f6fead0237078d7912527cc94aac4c71e95ad');
CREATE TABLE events (
    id INTEGER PRIMARY KEY, at TEXT NOT NULL, type TEXT NOT NULL, level TEXT NOT NULL, json TEXT NOT NULL
  );
INSERT INTO events VALUES(1,'2026-01-01T00:00:00.000Z','weights.changed','info','{"id":1,"at":"2026-01-01T00:00:00.000Z","type":"weights.changed","level":"info","service":"shop","message":"5 % to v2"}');
CREATE TABLE history (
    service TEXT NOT NULL, version TEXT NOT NULL, at INTEGER NOT NULL, json TEXT NOT NULL,
    PRIMARY KEY (service, version, at)
  ) WITHOUT ROWID;
INSERT INTO history VALUES('shop','v1',1767225600000,'{"p95":12.5}');
CREATE INDEX history_at ON history (at);
COMMIT;
