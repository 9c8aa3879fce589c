using System.Linq;
using System.Net;
using System.Text;
using System.Text.Json;
using Ferry.Telemetry;

namespace Ferry.Tests.Telemetry;

public sealed class TransferLogTests
{
    private static readonly FixedTimeProvider Time = new(DateTimeOffset.UnixEpoch, TimeSpan.FromHours(1));

    private static readonly TransferRecord Transfer = new()
    {
        SessionId = "k3f9",
        End = new DateTimeOffset(2026, 11, 22, 1, 28, 34, 250, TimeSpan.Zero),
        Duration = TimeSpan.FromMilliseconds(2600),
        Client = IPEndPoint.Parse("192.0.2.7:50021"),
        Upstream = IPEndPoint.Parse("192.0.2.91:21"),
        User = "alice",
        Verb = "RETR",
        Path = "/pub/a file.bin"u8.ToArray(),
        Direction = TransferDirection.Download,
        Type = TransferType.Image,
        Bytes = 1048576,
        Outcome = TransferRecord.Complete,
        RelayEnd = "completed",
    };

    [Fact]
    public async Task An_xferlog_line_is_that_of_wu_ftpd() =>
        Assert.Equal("Sun Nov 22 02:28:34 2026 3 192.0.2.7 1048576 /pub/a_file.bin b _ o r alice ftp 0 * c\n", await XferlogAsync(Transfer));

    [Fact]
    public async Task A_day_below_ten_is_padded_as_ctime_does() =>
        Assert.StartsWith("Tue Mar  3 00:59:09 2026 ", await XferlogAsync(Transfer with { End = new DateTimeOffset(2026, 3, 2, 23, 59, 9, TimeSpan.Zero) }));

    [Fact]
    public async Task An_aborted_anonymous_upload_in_ascii_is_told_as_such() => Assert.Equal(
        "Sun Nov 22 02:28:34 2026 1 2001:db8::7 0 x a _ i a Anonymous ftp 0 * i\n",
        await XferlogAsync(Transfer with
        {
            Client = IPEndPoint.Parse("[2001:db8::7]:1"),
            Duration = TimeSpan.FromMilliseconds(3),
            Bytes = 0,
            Path = "x"u8.ToArray(),
            Type = TransferType.Ascii,
            Direction = TransferDirection.Upload,
            Verb = "STOR",
            User = "Anonymous",
            Outcome = "client_abort",
        }));

    [Fact]
    public async Task An_xferlog_has_no_listings() =>
        Assert.Equal("", await XferlogAsync(Transfer with { Direction = TransferDirection.List, Verb = "LIST" }));

    [Theory]
    [InlineData("a\r\nSun Nov 22 01:28:34 2026 1 h 1 forged b _ o r root ftp 0 * c", "a__Sun_Nov_22_01:28:34_2026_1_h_1_forged_b___o_r_root_ftp_0_*_c")]
    [InlineData("\u001b[2J\t\u0000\u007f", "_[2J___")]
    [InlineData("caf\u00c3\u00a9", "caf\u00c3\u00a9")] // é in UTF-8
    [InlineData("caf\u00e9\u009b", "caf\u00e9_")] // é, and a control character, in ISO 8859-1
    [InlineData("x\u00c2\u009by\u00c2\u00a0z", "x_y_z")] // CSI and a no-break space in UTF-8
    [InlineData("back\\slash", "back\\slash")]
    [InlineData("", "-")]
    public async Task No_name_makes_a_field_or_a_line_of_its_own(string latin1, string written)
    {
        var line = await XferlogAsync(Transfer with { Path = Encoding.Latin1.GetBytes(latin1) });
        Assert.Equal($"Sun Nov 22 02:28:34 2026 3 192.0.2.7 1048576 {written} b _ o r alice ftp 0 * c\n", line);
    }

    [Theory]
    [InlineData("bob\r\nroot x", "bob__root_x")]
    [InlineData(null, "-")]
    public async Task No_user_makes_a_field_or_a_line_of_its_own(string? user, string written) =>
        Assert.Equal($"Sun Nov 22 02:28:34 2026 3 192.0.2.7 1048576 /pub/a_file.bin b _ o r {written} ftp 0 * c\n", await XferlogAsync(Transfer with { User = user }));

    [Fact]
    public async Task A_JSON_line_has_every_transfer_also_listings() => Assert.Equal(
        """
        {"time":"2026-11-22T02:28:34.250+01:00","session":"k3f9","client":"192.0.2.7","client_port":50021,"upstream":"192.0.2.91:21",
        "client_tls":null,"upstream_tls":null,"user":"alice","command":"MLSD",
        "path":"/pub/a file.bin","direction":"list","type":"A","bytes":1048576,"transfer_time":2.6,"outcome":"server_abort","relay_end":null}
        """.ReplaceLineEndings("") + "\n",
        await JsonAsync(Transfer with { Verb = "MLSD", Direction = TransferDirection.List, Type = TransferType.Ascii, Outcome = "server_abort", RelayEnd = null }));

    [Fact]
    public async Task A_JSON_line_has_the_TLS_of_each_side_and_an_xferlog_has_none()
    {
        var protectedTransfer = Transfer with
        {
            ClientTls = new("TLSv1.3", "TLS_AES_128_GCM_SHA256", true, null, null),
            UpstreamTls = new("TLSv1.2", "AES128-SHA", false, null, null),
        };
        Assert.Contains(
            """
            "client_tls":{"protocol":"TLSv1.3","cipher":"TLS_AES_128_GCM_SHA256","resumed":true},"upstream_tls":{"protocol":"TLSv1.2","cipher":"AES128-SHA","resumed":false},"user"
            """,
            await JsonAsync(protectedTransfer), StringComparison.Ordinal);
        Assert.Equal(await XferlogAsync(Transfer), await XferlogAsync(protectedTransfer));
    }

    [Theory]
    [InlineData("caf\u00c3\u00a9", "café")]
    [InlineData("caf\u00e9", "café")]
    [InlineData("\u001b[2J\r\n\"\\", "\u001b[2J\r\n\"\\")]
    public async Task A_path_of_any_encoding_is_text_in_JSON(string latin1, string text)
    {
        var line = await JsonAsync(Transfer with { Path = Encoding.Latin1.GetBytes(latin1) });
        Assert.Equal(line.Length - 1, line.IndexOfAny([.. Enumerable.Range(0, 32).Select(c => (char)c)]));
        using var json = JsonDocument.Parse(line);
        Assert.Equal(text, json.RootElement.GetProperty("path").GetString());
    }

    private static Task<string> XferlogAsync(TransferRecord transfer) => WriteAsync(transfer, isJson: false, Encoding.Latin1);

    private static Task<string> JsonAsync(TransferRecord transfer) => WriteAsync(transfer, isJson: true, Encoding.UTF8);

    private static async Task<string> WriteAsync(TransferRecord transfer, bool isJson, Encoding encoding)
    {
        await using var log = new CapturedLog();
        new TransferLog(log.File, Time, isJson).Write(transfer);
        return encoding.GetString(Encoding.Latin1.GetBytes(await log.ReadAsync()));
    }
}
