using System.IO;
using System.Text;
using Ferry.Config;
using Ferry.Upstreams;

namespace Ferry.Tests.Upstreams;

public sealed class HealthPasswordTests : IDisposable
{
    private readonly string _file = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
    private readonly List<ConfigDiagnostic> _found = [];

    public void Dispose() => File.Delete(_file);

    [Theory]
    [InlineData("secret")]
    [InlineData("secret\n")]
    [InlineData("secret\r\nand more\n")]
    public void The_first_line_is_the_password_and_nothing_prints_it(string content)
    {
        var password = Read(content, UnixFileMode.UserRead)!;

        Assert.Equal("secret", Encoding.UTF8.GetString(password.Bytes));
        Assert.DoesNotContain("secret", password.ToString(), StringComparison.Ordinal);
        Assert.Empty(_found);
    }

    [Theory]
    [InlineData("", "its first line is empty")]
    [InlineData("\nsecret", "its first line is empty")]
    [InlineData("sec\0ret", "its first line has control characters in it")]
    public void A_file_without_a_password_is_an_error(string content, string reason)
    {
        Assert.Null(Read(content, UnixFileMode.UserRead));
        Assert.EndsWith(reason, Assert.Single(_found).Message, StringComparison.Ordinal);
        Assert.Equal(ConfigSeverity.Error, _found[0].Severity);
    }

    [Fact]
    public void A_line_too_long_is_an_error()
    {
        Assert.Null(Read(new string('x', 5000), UnixFileMode.UserRead));
        Assert.EndsWith("its first line is too long", Assert.Single(_found).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_is_not_there_is_an_error()
    {
        Assert.Null(HealthPassword.TryRead(new PlacedText(_file), _found));
        Assert.EndsWith("there is no such file", Assert.Single(_found).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_device_is_not_waited_for()
    {
        Assert.Null(HealthPassword.TryRead(new PlacedText("/dev/tty"), _found));
        Assert.EndsWith("it is no regular file", Assert.Single(_found).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_that_everybody_can_read_is_warned_of()
    {
        Assert.NotNull(Read("secret", UnixFileMode.UserRead | UnixFileMode.OtherRead));
        var warning = Assert.Single(_found);
        Assert.Equal(ConfigSeverity.Warning, warning.Severity);
        Assert.Contains("chmod o-r", warning.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", warning.Message, StringComparison.Ordinal);
    }

    private HealthPassword? Read(string content, UnixFileMode mode)
    {
        File.WriteAllText(_file, content);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(_file, mode);
        return HealthPassword.TryRead(new PlacedText(_file, new ConfigPosition("f.conf", 3, 7)), _found);
    }
}
