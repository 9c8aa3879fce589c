namespace Ferry.FunctionalTests.Harness;

/// <summary>How a client reaches TLS on its control connection.</summary>
public enum ToolTls
{
    Plain,

    /// <summary>AUTH, and no login without it.</summary>
    Explicit,
    Implicit,
}

/// <summary>How a client is to behave where it has a choice. tnftp and ncftp have only that of <see cref="Active"/>.</summary>
internal sealed record ToolOptions
{
    public ToolTls Tls { get; init; }

    /// <summary>PROT C.</summary>
    public bool ClearData { get; init; }

    /// <summary>CCC after login.</summary>
    public bool ClearCommands { get; init; }

    /// <summary>ftplib alone has to be told to resume the control's session on data; curl and lftp do it by themselves.</summary>
    public bool ResumeData { get; init; }

    /// <summary>ftplib resumes on data the session of a control connection that is another one's, with <see cref="ResumeData"/>.</summary>
    public bool ForeignSession { get; init; }

    public TlsVersion Version { get; init; }

    /// <summary>OpenSSL's names of ciphers up to TLS 1.2, for curl.</summary>
    public string? Ciphers { get; init; }

    /// <summary>A file with the certificates that the server's must come from; null is that any will do.</summary>
    public string? Authority { get; init; }

    /// <summary>The client's own certificate.</summary>
    public TestCertificateFiles? Certificate { get; init; }

    /// <summary>EPSV and EPRT, or PASV and PORT; null is what the client does by itself. lftp says EPRT only over IPv6.</summary>
    public bool? Extended { get; init; }

    /// <summary>curl tells every reply.</summary>
    public bool Verbose { get; init; }

    /// <summary>The server opens data connections.</summary>
    public bool Active { get; init; }
}
