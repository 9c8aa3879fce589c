namespace Ferry.FunctionalTests.Harness;

/// <summary>Where a client logs on, and from which network namespace (null: this one).</summary>
internal sealed record FtpTarget(string Host, int Port, string User, string Password, string? Namespace = null);

/// <summary>A real FTP client, which does one thing a run. Remote paths are like <c>pub/name</c>. A client that says that it failed fails the test.</summary>
internal interface IFtpTool
{
    /// <summary>Tells what the client shows of a folder.</summary>
    Task<string> ListAsync(FtpTarget target, string folder);

    Task DownloadAsync(FtpTarget target, string remote, string local);

    /// <summary>Fetches what the local file lacks at its end, by REST.</summary>
    Task ResumeAsync(FtpTarget target, string remote, string local);

    Task UploadAsync(FtpTarget target, string local, string remote);

    /// <summary>Adds to a remote file that holds the beginning of <paramref name="whole"/> what it lacks, which is also in <paramref name="rest"/>.</summary>
    Task AppendAsync(FtpTarget target, string rest, string whole, string remote);

    Task RenameAsync(FtpTarget target, string from, string to);

    Task DeleteAsync(FtpTarget target, string remote);

    Task MakeFolderAsync(FtpTarget target, string remote);
}
