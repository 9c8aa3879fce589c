using System.Linq;
using System.Net.Sockets;
using System.Text;
using Ferry.Protocol;
using FsCheck.Fluent;
using static FsCheck.Check;

namespace Ferry.Tests.Protocol;

public sealed class FtpCommandTests
{
    private const string Secret = "hunter2";

    [Theory]
    [InlineData("NOOP", "NOOP", "")]
    [InlineData("RETR path/to file", "RETR", "path/to file")]
    [InlineData("CWD  leading", "CWD", " leading")]
    [InlineData("CWD ", "CWD", "")]
    [InlineData(" \tPASV", "PASV", "")]
    [InlineData("PORT\t1,2", "PORT", "1,2")]
    [InlineData("", "", "")]
    [InlineData("   ", "", "")]
    public void A_line_is_a_word_and_what_follows_the_first_space(string line, string word, string argument)
    {
        var command = FtpCommand.Parse(Encoding.ASCII.GetBytes(line));

        Assert.Equal(word, Encoding.ASCII.GetString(command.Word));
        Assert.Equal(argument, Encoding.ASCII.GetString(command.Argument));
    }

    [Fact]
    public void Every_verb_is_known_by_its_name_in_any_case()
    {
        foreach (var verb in Enum.GetValues<FtpVerb>().Where(verb => verb != FtpVerb.Other))
        {
            var name = verb.ToString();
            Assert.Equal(verb, FtpVerbs.Parse(Encoding.ASCII.GetBytes(name)));
            Assert.Equal(verb, FtpVerbs.Parse(Encoding.ASCII.GetBytes(name.ToUpperInvariant())));
            Assert.Equal(verb, FtpVerbs.Parse(Encoding.ASCII.GetBytes(name.ToLowerInvariant())));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("PA")]
    [InlineData("PASVX")]
    [InlineData("PASSWORD")]
    [InlineData("\0PASV")]
    [InlineData("PAS6")]
    [InlineData("XMKD")]
    [InlineData("CWD")]
    public void What_is_no_verb_of_its_own_is_another(string word)
    {
        Assert.Equal(FtpVerb.Other, FtpVerbs.Parse(Encoding.ASCII.GetBytes(word)));
    }

    [Fact]
    public void Letters_are_folded_and_nothing_else_is() => QuickThrowOnFailure(Prop.ForAll<byte, byte>((place, letter) =>
    {
        var word = "pasV"u8.ToArray();
        word[place % 4] = letter;
        var verb = FtpVerbs.Parse(word);
        return verb == FtpVerb.Other || Encoding.ASCII.GetString(word).Equals(verb.ToString(), StringComparison.OrdinalIgnoreCase);
    }));

    [Theory]
    [InlineData("RETR", "Download")]
    [InlineData("list", "Listing")]
    [InlineData("NLST", "Listing")]
    [InlineData("MLSD", "Listing")]
    [InlineData("STOR", "Upload")]
    [InlineData("stou", "Upload")]
    [InlineData("APPE", "Upload")]
    [InlineData("STAT", "None")]
    [InlineData("PASV", "None")]
    public void A_transfer_command_says_which_way_its_data_goes(string word, string use)
    {
        Assert.Equal(use, FtpVerbs.DataOf(FtpVerbs.Parse(Encoding.ASCII.GetBytes(word))).ToString());
    }

    [Theory]
    [InlineData("PASS " + Secret, "PASS ***")]
    [InlineData("pass " + Secret, "pass ***")]
    [InlineData("PaSs  " + Secret + " more", "PaSs ***")]
    [InlineData("ACCT " + Secret, "ACCT ***")]
    [InlineData("SITE PSWD old " + Secret, "SITE ***")]
    [InlineData("site chpass " + Secret, "site ***")]
    [InlineData("PASS", "PASS")]
    [InlineData(" PASS " + Secret, "PASS ***")]
    [InlineData("\t\tPASS " + Secret, "PASS ***")]
    [InlineData("PASS\t" + Secret, "PASS ***")]
    [InlineData("\0PASS " + Secret, "***")]
    [InlineData("PASS\0" + Secret, "***")]
    [InlineData("PASS:" + Secret, "***")]
    [InlineData("XPASS " + Secret, "***")]
    [InlineData(Secret, "***")]
    [InlineData("ADAT " + Secret, "ADAT ***")]
    [InlineData("mic " + Secret, "mic ***")]
    [InlineData("CONF " + Secret, "CONF ***")]
    [InlineData("ENC " + Secret, "ENC ***")]
    [InlineData("USER alice\rPASS " + Secret, "USER alice")]
    [InlineData("RETR a\n\x1b[2J\u00ff", "RETR a??[2J?")]
    [InlineData("USER anonymous", "USER anonymous")]
    public void A_secret_cannot_be_printed(string line, string shown)
    {
        Assert.Equal(shown, FtpCommand.Parse(Encoding.Latin1.GetBytes(line)).ToString());
    }

    [Fact]
    public void A_user_s_name_ends_where_a_second_line_could_begin()
    {
        var engine = new ControlEngine(AddressFamily.InterNetwork);

        engine.OnCommand(Encoding.ASCII.GetBytes("USER alice\rPASS " + Secret));

        Assert.Equal("alice", engine.User);
    }

    [Fact]
    public void A_secret_behind_Telnet_commands_cannot_be_printed() => QuickThrowOnFailure(Prop.ForAll<byte[], bool, byte>((noise, lower, which) =>
    {
        var word = (which % 3) switch { 0 => "PASS ", 1 => "ACCT ", _ => "SITE " };
        byte[] line = [0xFF, 0xF4, 0xFF, 0xF2, .. Encoding.ASCII.GetBytes(lower ? word.ToLowerInvariant() : word), .. Encoding.ASCII.GetBytes(Secret), .. noise];
        var clean = new byte[line.Length];
        return !FtpCommand.Parse(clean.AsSpan(0, TelnetLine.Clean(line, clean))).ToString().Contains(Secret, StringComparison.Ordinal);
    }));

    [Fact]
    public void Whatever_bytes_stand_before_a_PASS_its_secret_is_not_printed() => QuickThrowOnFailure(Prop.ForAll<byte[]>(noise =>
        // A command in front makes it that command's argument, which is another matter: three or four letters and a space.
        noise.Any(b => b is (byte)' ' or (byte)'\t')
        || !FtpCommand.Parse([.. noise, .. Encoding.ASCII.GetBytes("PASS " + Secret)]).ToString().Contains(Secret, StringComparison.Ordinal)));

    [Fact]
    public void Any_line_is_shown_as_one_short_line_of_plain_text() => QuickThrowOnFailure(Prop.ForAll<byte[]>(line =>
    {
        byte[] command = [.. "RETR "u8, .. line, .. new byte[1000]];
        var shown = FtpCommand.Parse(command).ToString();
        return shown.Length <= 205 && shown.All(c => c is >= ' ' and < (char)0x7F)
            && FtpCommand.Parse(line).ToString().All(c => c is >= ' ' and < (char)0x7F);
    }));
}
