from django.db import migrations

SEARCH = """
CREATE TEXT SEARCH DICTIONARY zulip.english_us_hunspell
  (TEMPLATE = ispell, DictFile = en_us, AffFile = en_us, StopWords = zulip_english);
CREATE TEXT SEARCH CONFIGURATION zulip.english_us_search (COPY = pg_catalog.english);
ALTER TEXT SEARCH CONFIGURATION zulip.english_us_search
  ALTER MAPPING FOR asciiword, asciihword, hword_asciipart, word, hword, hword_part
  WITH zulip.english_us_hunspell, english_stem;

CREATE TABLE fts_update_log (id serial PRIMARY KEY, message_id integer NOT NULL);
CREATE FUNCTION append_to_fts_update_log() RETURNS trigger LANGUAGE plpgsql SET search_path = zulip AS $$
BEGIN
  INSERT INTO fts_update_log (message_id) VALUES (NEW.id);
  NOTIFY fts_update_log;
  RETURN NEW;
END
$$;
CREATE TRIGGER zerver_message_update_search_tsvector_async
  AFTER INSERT OR UPDATE OF subject, rendered_content ON zerver_message
  FOR EACH ROW EXECUTE FUNCTION append_to_fts_update_log();
"""


class Migration(migrations.Migration):
    dependencies = [("zerver", "0001_initial")]
    operations = [migrations.RunSQL(SEARCH)]
