namespace Ferry.Config;

/// <summary>The directives that are accepted with a note, so that files of nginx and OpenNJet load.</summary>
internal static partial class DirectiveTable
{
    private static Directive Pointless(string name, ConfigContexts contexts, string syntax, string reason) =>
        new(name, contexts, syntax, "none", "Accepted, and without effect.")
        {
            Status = DirectiveStatus.NoMeaning,
            MinArguments = 0,
            MaxArguments = Directive.Many,
            Repeats = true,
            Reason = reason,
        };

    private static IEnumerable<Directive> NoMeaning() =>
    [
        Pointless("user", InMain, "user NAME [GROUP];", "the service manager chooses whom ferryd runs as"),
        Pointless("worker_processes", InMain, "worker_processes NUMBER | auto;", "one process uses all processors"),
        Pointless("worker_cpu_affinity", InMain, "worker_cpu_affinity MASK ... | auto [MASK];", "there are no worker processes; taskset binds ferryd to processors"),
        Pointless("worker_priority", InMain, "worker_priority NUMBER;", "there are no worker processes; the service manager sets the priority"),
        Pointless("worker_rlimit_core", InMain, "worker_rlimit_core SIZE;", "the service manager sets the limit of core files"),
        Pointless("cluster_name", InMain, "cluster_name NAME;", "Ferry has no cluster of its own"),
        Pointless("node_name", InMain, "node_name NAME;", "Ferry has no cluster of its own"),
        Pointless("helper", InMain, "helper NAME MODULE [FILE];", "Ferry needs no helper processes"),
        Pointless("load_module", InMain, "load_module FILE;", "everything is built in"),
        Pointless("daemon", InMain, "daemon on | off;", "the service manager runs ferryd in the background"),
        Pointless("master_process", InMain, "master_process on | off;", "there is one process"),
        Pointless("thread_pool", InMain, "thread_pool NAME threads=NUMBER [max_queue=NUMBER];", ".NET sizes its threads itself"),
        Pointless("timer_resolution", InMain, "timer_resolution TIME;", "time-outs are swept once a second"),
        Pointless("env", InMain, "env NAME[=VALUE];", "the environment is kept as it is"),
        Pointless("lock_file", InMain, "lock_file FILE;", "there is one process, which needs no lock"),
        Pointless("pcre_jit", InMain, "pcre_jit on | off;", "there are no regular expressions"),
        Pointless("ssl_engine", InMain, "ssl_engine NAME;", "OpenSSL 3 has providers in their place"),
        Pointless("debug_points", InMain, "debug_points abort | stop;", "it is for finding faults in nginx"),
        Pointless("working_directory", InMain, "working_directory FOLDER;", "the service manager sets the folder"),
        Pointless("use", InEvents, "use METHOD;", ".NET uses epoll"),
        Pointless("multi_accept", InEvents, "multi_accept on | off;", "connections are accepted as they come"),
        Pointless("accept_mutex", InEvents, "accept_mutex on | off;", "there are no worker processes to take turns"),
        Pointless("accept_mutex_delay", InEvents, "accept_mutex_delay TIME;", "there are no worker processes to take turns"),
        Pointless("worker_aio_requests", InEvents, "worker_aio_requests NUMBER;", "no file is served"),
        Pointless("debug_connection", InEvents, "debug_connection ADDR | NETWORK;", "error_log with the level debug tells of all sessions"),
        Pointless("zone", InUpstream, "zone NAME [SIZE];", "one process knows the state of all servers"),
        Pointless("proxy_buffer_size", InBoth, "proxy_buffer_size SIZE;", "buffers are sized by the work"),
        Pointless("proxy_half_close", InBoth, "proxy_half_close on | off;", "each direction of a data connection ends by itself"),
        Pointless("proxy_requests", InBoth, "proxy_requests NUMBER;", "it is for UDP, and FTP is TCP"),
        Pointless("proxy_responses", InBoth, "proxy_responses NUMBER;", "it is for UDP, and FTP is TCP"),
        Pointless("preread_buffer_size", InBoth, "preread_buffer_size SIZE;", "in FTP the server speaks first"),
        Pointless("preread_timeout", InBoth, "preread_timeout TIME;", "ftp_login_timeout bounds how long a client may take"),
        Pointless("open_log_file_cache", InBoth, "open_log_file_cache VALUE ...;", "log files stay open"),
        Pointless("status_zone", InServer, "status_zone NAME;", "every server is counted"),
        Pointless("variables_hash_bucket_size", InStream, "variables_hash_bucket_size SIZE;", "the table of variables sizes itself"),
        Pointless("variables_hash_max_size", InStream, "variables_hash_max_size SIZE;", "the table of variables sizes itself"),
        Pointless("map_hash_bucket_size", InStream, "map_hash_bucket_size SIZE;", "tables size themselves"),
        Pointless("map_hash_max_size", InStream, "map_hash_max_size SIZE;", "tables size themselves"),
    ];
}
