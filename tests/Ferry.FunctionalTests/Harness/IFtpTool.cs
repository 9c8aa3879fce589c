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

/// <summary>What a client does in a session of several steps.</summary>
internal enum FtpVerb
{
    /// <summary>Shows a folder.</summary>
    List,
    Download,
    Upload,

    /// <summary>A download that the server is to refuse with 550.</summary>
    DownloadRefused,

    /// <summary>An upload that the server is to refuse with 55x.</summary>
    UploadRefused,
}

/// <summary>One step, with remote paths like <c>pub/name</c>.</summary>
internal sealed record FtpStep(FtpVerb Verb, string Remote, string Local = "");

/// <summary>A client that can do several things over one control connection.</summary>
internal interface IFtpSessionTool : IFtpTool
{
    /// <summary>Fails the test where a step fails, or one that is to be refused does not; tells what the client said.</summary>
    Task<string> RunAsync(FtpTarget target, IReadOnlyList<FtpStep> steps);
}
