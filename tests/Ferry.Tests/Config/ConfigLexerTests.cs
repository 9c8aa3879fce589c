using Ferry.Config;

namespace Ferry.Tests.Config;

public sealed class ConfigLexerTests
{
    private static List<string> Lex(string text, out ConfigFindings findings)
    {
        findings = new ConfigFindings();
        var lexer = new ConfigLexer(new ConfigSource("f", text, 0), findings);
        List<string> tokens = [];
        for (var token = lexer.Next(); token.Kind != ConfigTokenKind.End; token = lexer.Next())
            tokens.Add(token.Kind switch { ConfigTokenKind.Semicolon => "<;>", ConfigTokenKind.Open => "<{>", ConfigTokenKind.Close => "<}>", _ => token.Text });
        return tokens;
    }

    [Theory]
    [InlineData("a b;c{d}", "a|b|<;>|c|<{>|d|<}>")]
    [InlineData("a # b;\nc#d e", "a|c#d|e")]
    [InlineData("\"a b\" 'c;d' '' \"it's\"", "a b|c;d||it's")]
    [InlineData("a\"b c'd'", "a\"b|c'd'")]
    [InlineData(@"a\;b ""\"""" '\'' \\ \n\d", "a\\;b|\"|'|\\|\n\\d")]
    [InlineData(@"""a\tb\rc\nd\x""", "a\tb\rc\nd\\x")]
    [InlineData("${a}b x${y}; ${z", "${a}b|x${y}|<;>|${z")]
    [InlineData("a\r\n\tb;\r\n", "a|b|<;>")]
    [InlineData("\"a\nb\";", "a\nb|<;>")]
    [InlineData("a\\", "a\\")]
    public void Words_quotes_and_escapes_are_those_of_nginx(string text, string tokens)
    {
        Assert.Equal(tokens.Split('|'), Lex(text, out var findings));
        Assert.False(findings.HasErrors);
    }

    [Fact]
    public void A_quote_that_is_not_closed_ends_with_its_line()
    {
        Assert.Equal(["a", "b c", "<;>", "d", "<;>"], Lex("a \"b c ;\nd;", out var findings));
        Assert.Equal("f:1:3: error: this quote is never closed: \" is missing", Assert.Single(findings.ToImmutable()).ToString());
    }

    [Fact]
    public void A_word_longer_than_nginx_reads_is_an_error()
    {
        Lex(new string('a', ConfigLexer.LongestWord), out var findings);
        Assert.False(findings.HasErrors);
        Lex(new string('a', ConfigLexer.LongestWord + 1), out findings);
        Assert.True(findings.HasErrors);
    }

    [Fact]
    public void A_piece_of_a_word_has_its_own_place()
    {
        var source = new ConfigSource("f", "x \"ab cd\" a\\\\b", 0);
        var lexer = new ConfigLexer(source, new ConfigFindings());
        var bare = lexer.Next();
        var quoted = lexer.Next();
        var escaped = lexer.Next();

        Assert.Equal((1, 1), (bare.Position.Column, bare.Length));
        var piece = quoted.Part(3, 2);
        Assert.Equal(("cd", 7, 2), (piece.Text, piece.Position.Column, piece.Length));
        // Where escapes hide the place the whole word is named.
        var unknown = escaped.Part(2, 1);
        Assert.Equal(("b", 11, 4), (unknown.Text, unknown.Position.Column, unknown.Length));
    }
}
