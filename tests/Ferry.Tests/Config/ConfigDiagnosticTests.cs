using Ferry.Config;

namespace Ferry.Tests.Config;

public sealed class ConfigDiagnosticTests
{
    [Fact]
    public void A_finding_is_shown_with_its_line_and_a_caret()
    {
        var found = Assert.Single(ConfigFile.Parse("pid a;\n  lisen 21;\n", "ferry.conf").Diagnostics);

        Assert.Equal("ferry.conf:2:3: error: unknown directive \"lisen\"; did you mean \"listen\"?\n  lisen 21;\n  ^~~~~", found.Format());
    }

    [Fact]
    public void Tabs_stay_tabs_so_that_the_caret_lines_up()
    {
        var found = Assert.Single(ConfigFile.Parse("\tpid\ta  b;", "f").Diagnostics);

        Assert.Equal("f:1:2: error: wrong number of arguments of \"pid\"; the syntax is: pid FILE;\n\tpid\ta  b;\n\t^~~", found.Format());
    }

    [Fact]
    public void Wide_characters_take_two_cells()
    {
        var found = Assert.Single(ConfigFile.Parse("\u65e5\u5fd7 \"\u65e5\";", "f").Diagnostics);
        var behind = ConfigFile.Parse("pid \u65e5\u5fd7 b;", "f").Diagnostics[0] with { Position = new ConfigPosition("f", 1, 8) };

        Assert.EndsWith(";\n^~~~", found.Format(), StringComparison.Ordinal);
        Assert.EndsWith(";\n         ^~", behind.Format(), StringComparison.Ordinal);
    }

    [Fact]
    public void What_a_file_holds_never_acts_on_the_terminal()
    {
        var found = Assert.Single(ConfigFile.Parse("a\u001b[2Jb;", "f").Diagnostics);

        Assert.Equal("f:1:1: error: unknown directive \"a?[2Jb\"\na?[2Jb;\n^~~~~~", found.Format());
    }

    [Fact]
    public void A_semicolon_is_missed_behind_the_last_word()
    {
        var found = ConfigFile.Parse("pid a # comment\nuser b;", "f").Diagnostics[0];

        Assert.Equal("f:1:6: error: \";\" is missing after \"a\", at the end of \"pid\"\npid a # comment\n     ^", found.Format());
    }

    [Theory]
    [InlineData(ConfigSeverity.Note, 0, 0, "f: note: m")]
    [InlineData(ConfigSeverity.Warning, 3, 0, "f:3: warning: m")]
    [InlineData(ConfigSeverity.Error, 3, 4, "f:3:4: error: m")]
    public void Without_a_line_to_show_one_line_is_all(ConfigSeverity severity, int line, int column, string text) =>
        Assert.Equal(text, new ConfigDiagnostic(severity, new ConfigPosition("f", line, column), 1, "m", null).Format());
}
