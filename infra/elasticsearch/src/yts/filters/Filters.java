package yts.filters;

import java.io.Reader;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.charfilter.MappingCharFilter;
import org.apache.lucene.analysis.charfilter.NormalizeCharMap;
import org.apache.lucene.analysis.es.SpanishLightStemFilter;
import org.apache.lucene.analysis.es.SpanishPluralStemFilter;
import org.apache.lucene.analysis.pattern.PatternReplaceCharFilter;
import org.apache.lucene.analysis.snowball.SnowballFilter;
import org.elasticsearch.plugin.Inject;
import org.elasticsearch.plugin.NamedComponent;
import org.elasticsearch.plugin.analysis.CharFilterFactory;
import org.elasticsearch.plugin.analysis.TokenFilterFactory;
import org.elasticsearch.plugin.settings.AnalysisSettings;
import org.elasticsearch.plugin.settings.ListSetting;
import org.elasticsearch.plugin.settings.StringSetting;

/**
 * Registers those of Lucene's filters that the index uses, under the names and with the settings of a full
 * Elasticsearch, so that every server accepts the same index.
 *
 * <p>Elasticsearch makes one object of each class for every index, even without settings. So constructors
 * accept missing settings.
 */
public final class Filters {

    private Filters() {}

    /** The settings of the char filter {@code mapping}: rules such as {@code \u00df => ss}. */
    @AnalysisSettings
    public interface MappingSettings {
        @ListSetting(path = "mappings")
        List<String> mappings();
    }

    /** Replaces characters by others. A rule without a right side deletes. The longest left side wins. */
    @NamedComponent("mapping")
    public static final class Mapping implements CharFilterFactory {
        private static final Pattern ESCAPE = Pattern.compile("\\\\u([0-9a-fA-F]{4})");

        private final NormalizeCharMap map;

        @Inject
        public Mapping(MappingSettings settings) {
            NormalizeCharMap.Builder builder = new NormalizeCharMap.Builder();
            for (String rule : settings.mappings()) {
                int arrow = rule.lastIndexOf("=>");
                if (arrow < 0) {
                    throw new IllegalArgumentException("Invalid Mapping Rule : [" + rule + "]");
                }
                builder.add(read(rule.substring(0, arrow).trim()), read(rule.substring(arrow + 2).trim()));
            }
            map = builder.build();
        }

        @Override
        public Reader create(Reader reader) {
            return new MappingCharFilter(map, reader);
        }

        @Override
        public Reader normalize(Reader reader) {
            return create(reader);
        }

        /** The text with its escapes of the form backslash, u and four hexadecimal digits resolved. */
        private static String read(String text) {
            return ESCAPE.matcher(text)
                    .replaceAll(found -> Matcher.quoteReplacement(
                            String.valueOf((char) Integer.parseInt(found.group(1), 16))));
        }
    }

    /** The settings of the char filter {@code pattern_replace}. */
    @AnalysisSettings
    public interface PatternSettings {
        @StringSetting(path = "pattern", defaultValue = "")
        String pattern();

        @StringSetting(path = "replacement", defaultValue = "")
        String replacement();
    }

    /** Replaces what a regular expression matches. */
    @NamedComponent("pattern_replace")
    public static final class PatternReplace implements CharFilterFactory {
        private final Pattern pattern;
        private final String replacement;

        @Inject
        public PatternReplace(PatternSettings settings) {
            pattern = Pattern.compile(settings.pattern());
            replacement = settings.replacement();
        }

        @Override
        public Reader create(Reader reader) {
            return new PatternReplaceCharFilter(pattern, replacement, reader);
        }

        @Override
        public Reader normalize(Reader reader) {
            return create(reader);
        }
    }

    /** The settings of the token filters {@code snowball} and {@code stemmer}. */
    @AnalysisSettings
    public interface StemmerSettings {
        @StringSetting(path = "language", defaultValue = "English")
        String language();
    }

    /** Reduces words to their stems by the rules of https://snowballstem.org. */
    @NamedComponent("snowball")
    public static final class Snowball implements TokenFilterFactory {
        private final String language;

        @Inject
        public Snowball(StemmerSettings settings) {
            language = settings.language();
        }

        @Override
        public TokenStream create(TokenStream tokens) {
            return new SnowballFilter(tokens, language);
        }
    }

    /** Other stemmers of Lucene's. Only those that the index uses. */
    @NamedComponent("stemmer")
    public static final class Stemmer implements TokenFilterFactory {
        private final String language;

        @Inject
        public Stemmer(StemmerSettings settings) {
            language = settings.language();
        }

        @Override
        public TokenStream create(TokenStream tokens) {
            return switch (language) {
                case "light_spanish" -> new SpanishLightStemFilter(tokens);
                case "spanish_plural" -> new SpanishPluralStemFilter(tokens);
                default -> throw new IllegalArgumentException("Unknown stemmer [" + language + "]");
            };
        }
    }
}
