using System.Data.Common;
using Npgsql;
using ZeroStor.Catalog;

namespace ZeroStor.Tests.Catalog;

public sealed class PostgresCatalogTests : CatalogTests
{
    private const string Secret = "horse-battery;\"staple";

    private PostgresServer? _server;
    private int _schemas;

    // A new schema with all tables takes a tenth of a second.
    private protected override int Sequences => 25;

    private PostgresServer Server => _server!;

    private protected override async Task<string> MakeFirstAsync()
    {
        _server = await SharedPostgres.StartAsync();
        return await Server.MakeDatabaseAsync();
    }

    // A schema of the test's database is as good as another database, and made in a third of the time.
    private protected override async Task<string> MakeEmptyAsync()
    {
        string schema = $"other{_schemas++}";
        await RunAsync($"CREATE SCHEMA {schema}");
        return With(Where, said => said.SearchPath = schema);
    }

    private protected override Task<SqlCatalog> OpenAsync(string where, CatalogOptions? options = null) =>
        PostgresCatalog.OpenAsync(where, Entropy, TimeProvider.System, options, Cancel);

    private protected override async Task<DbConnection> ConnectAsync(string where)
    {
        var connection = new NpgsqlConnection(where);
        await connection.OpenAsync(Cancel);
        return connection;
    }

    private protected override async ValueTask RemoveAsync() => await Server.RemoveDatabaseAsync(Where);

    [Fact]
    public async Task Commits_are_synced_whatever_the_server_says()
    {
        await RunAsync($"ALTER DATABASE {DatabaseOf(Where)} SET synchronous_commit = off");
        Assert.Equal(["off"], await RunAsync("SHOW synchronous_commit"));
        var database = new PostgresDatabase(Where, new CatalogOptions());
        await using DbConnection ours = await database.ConnectAsync(forWriting: true, Cancel);
        Assert.Equal("on", await SettingAsync(ours));
        await using DbConnection orleans = await ConnectAsync(Catalog.ConnectionString);
        Assert.Equal("on", await SettingAsync(orleans));
    }

    [Fact]
    public async Task No_statement_is_compiled_before_it_is_run()
    {
        var database = new PostgresDatabase(Where, new CatalogOptions());
        await using var ours = (NpgsqlConnection)await database.ConnectAsync(forWriting: true, Cancel);
        await using NpgsqlCommand explain = ours.CreateCommand();
        explain.CommandText = "EXPLAIN ANALYZE SELECT * FROM fabric";
        var plan = new List<string>();
        await using (NpgsqlDataReader reader = await explain.ExecuteReaderAsync(Cancel))
        {
            while (await reader.ReadAsync(Cancel))
            {
                plan.Add(reader.GetString(0));
            }
        }

        Assert.NotEmpty(plan);
        Assert.DoesNotContain(plan, line => line.Contains("JIT", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_a_user_asks_of_the_session_stays_asked()
    {
        string where = With(Where, said => said.Options = "-c work_mem=7MB");
        await using DbConnection ours = await new PostgresDatabase(where, new CatalogOptions())
            .ConnectAsync(forWriting: true, Cancel);
        Assert.Equal("7MB", await SettingAsync(ours, "work_mem"));
        Assert.Equal("on", await SettingAsync(ours));
    }

    [Fact]
    public async Task The_database_says_which_one_it_is_unless_it_may_not()
    {
        FabricState state = await Catalog.ReadFabricAsync(Cancel);
        object system = (await RunAsync("SELECT system_identifier FROM pg_control_system()"))[0]!;
        Assert.Equal($"{system}/00000001", state.DatabaseId);
        await RunAsync("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC");
        await RunAsync("CREATE ROLE plain LOGIN");
        await RunAsync("GRANT ALL ON ALL TABLES IN SCHEMA public TO plain");
        await RunAsync($"GRANT ALL ON SCHEMA public TO plain");
        await using (SqlCatalog plain = await OpenAsync(With(Where, said => said.Username = "plain")))
        {
            Assert.Equal(state with { DatabaseId = null }, await plain.ReadFabricAsync(Cancel));
        }

        await RunAsync("DROP OWNED BY plain");
        await RunAsync("DROP ROLE plain");
    }

    [Fact]
    public async Task Keys_are_ordered_by_their_bytes_whatever_the_databases_language()
    {
        string english = await Server.MakeDatabaseAsync(
            "TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US' LOCALE 'C'");
        string[] keys = ["B", "Z/1", "a", "a b", "a-b", "ab", "b", "é", "😀"];
        Assert.NotEqual(
            keys,
            await RunAsync($"SELECT k FROM unnest('{{{string.Join(',', keys)}}}'::text[]) k ORDER BY k", null, english));
        await using (SqlCatalog catalog = await OpenAsync(english))
        {
            await catalog.AddVaultAsync(new VaultEntry("vault", Vault, new ClassId(1)), Cancel);
            await Task.WhenAll(keys.Reverse().Select(k => catalog.CommitAsync(Put(k), Cancel)));
            Listing all = await catalog.ListAsync(new ListQuery { Vault = Vault, Max = 100 }, Cancel);
            Assert.Equal(keys, all.Versions.Select(v => v.Key));
            Listing from = await catalog.ListAsync(
                new ListQuery { Vault = Vault, StartAfter = "Z", Prefix = "", Max = 2 }, Cancel);
            Assert.Equal(["Z/1", "a"], from.Versions.Select(v => v.Key));
        }

        await Server.RemoveDatabaseAsync(english);
    }

    [Fact]
    public async Task A_database_in_another_encoding_is_refused()
    {
        string latin = await Server.MakeDatabaseAsync("TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'");
        ZeroStorException error = await ThrowsAsync(ErrorKind.InvalidArgument, () => OpenAsync(latin));
        Assert.Contains("LATIN1", error.Message, StringComparison.Ordinal);
        await Server.RemoveDatabaseAsync(latin);
    }

    [Fact]
    public async Task Nobody_is_told_a_password()
    {
        await RunAsync(
            $"""
            DO $$ BEGIN CREATE ROLE {PostgresServer.GuardedUser} LOGIN PASSWORD 'right';
            EXCEPTION WHEN duplicate_object THEN END $$
            """);
        string wrong = With(Where, said =>
        {
            said.Username = PostgresServer.GuardedUser;
            said.Password = Secret;
        });
        ZeroStorException refused = await ThrowsAsync(ErrorKind.InvalidArgument, () => OpenAsync(wrong));
        Assert.Contains(PostgresServer.GuardedUser, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret[..5], refused.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(
            Secret[..5], new PostgresDatabase(wrong, new CatalogOptions()).Name, StringComparison.Ordinal);

        // Not quoted: what stands behind the semicolon is taken for another setting, and cited.
        foreach (string none in new[] { $"Host=h;Username=u;Password={Secret}=x", $"Host=h;Password={Secret[..5]}", "" })
        {
            ZeroStorException error = await ThrowsAsync(ErrorKind.InvalidArgument, () => OpenAsync(none));
            Assert.DoesNotContain("staple", error.ToString(), StringComparison.Ordinal);
            Assert.DoesNotContain(Secret[..5], error.ToString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task What_cannot_be_reached_or_is_not_there_is_named()
    {
        string noServer = With(Where, said => said.Host = "/nowhere");
        ZeroStorException unreachable = await ThrowsAsync(ErrorKind.Unavailable, () => OpenAsync(noServer));
        Assert.Contains("/nowhere", unreachable.Message, StringComparison.Ordinal);
        string noDatabase = With(Where, said => said.Database = "never_made");
        ZeroStorException none = await ThrowsAsync(ErrorKind.InvalidArgument, () => OpenAsync(noDatabase));
        Assert.Contains("never_made", none.Message, StringComparison.Ordinal);
        string noSchema = With(Where, said => said.SearchPath = "never_made");
        await ThrowsAsync(ErrorKind.InvalidArgument, () => OpenAsync(noSchema));
    }

    [Fact]
    public async Task Of_several_hosts_the_one_that_is_there_is_taken()
    {
        string two = With(Where, said => said.Host = $"/nowhere,{said.Host}");
        await using SqlCatalog second = await OpenAsync(two);
        await AppliedAsync(Put("a"));
        Assert.NotNull(Assert.Single(await second.HeadAsync(Vault, ["a"], Cancel)));
    }

    [Fact]
    public async Task A_server_without_room_for_one_more_connection_is_unavailable()
    {
        await RunAsync("CREATE ROLE single LOGIN CONNECTION LIMIT 1 SUPERUSER");
        string where = With(Where, said => said.Username = "single");
        await RunAsync("ALTER ROLE single NOSUPERUSER");
        await RunAsync($"ALTER DATABASE {DatabaseOf(Where)} OWNER TO single");
        await using (NpgsqlConnection only = (NpgsqlConnection)await ConnectAsync(where))
        {
            ZeroStorException error = await ThrowsAsync(ErrorKind.Unavailable, () => OpenAsync(where));
            Assert.Contains("no room", error.Message, StringComparison.Ordinal);
        }

        await RunAsync($"ALTER DATABASE {DatabaseOf(Where)} OWNER TO CURRENT_USER");
        await RunAsync("DROP ROLE single");
    }

    [Fact]
    public async Task Another_transaction_that_does_not_end_is_unavailable_and_the_next_commit_goes_through()
    {
        var hastily = new CatalogOptions { LockPatience = TimeSpan.FromMilliseconds(100) };
        await using SqlCatalog hasty = await OpenAsync(hastily);
        CommitOrder put = Put("a");
        await using (DbConnection other = await ConnectAsync(Where))
        {
            await using DbTransaction holding = await other.BeginTransactionAsync(Cancel);
            await using DbCommand hold = other.CreateCommand();
            hold.CommandText = "LOCK TABLE contents";
            await hold.ExecuteNonQueryAsync(Cancel);
            await ThrowsAsync(ErrorKind.Unavailable, () => hasty.CommitAsync(put, Cancel));
            await holding.RollbackAsync(Cancel);
        }

        Assert.Equal(ErrorKind.None, (await hasty.CommitAsync(put, Cancel)).Kind);
    }

    [Fact]
    public async Task A_transaction_of_a_silo_that_hangs_keeps_nobody_waiting_for_long()
    {
        var options = new CatalogOptions
        {
            SilencePatience = TimeSpan.FromMilliseconds(100), LockPatience = TimeSpan.FromMinutes(1),
        };
        await using SqlCatalog hanging = await OpenAsync(options);
        await using SqlCatalog other = await OpenAsync(options);
        await using DbConnection silent = await ConnectAsync(hanging.ConnectionString);
        await using DbTransaction holding = await silent.BeginTransactionAsync(Cancel);
        await using DbCommand hold = silent.CreateCommand();
        hold.CommandText = "LOCK TABLE contents";
        await hold.ExecuteNonQueryAsync(Cancel);
        Assert.Equal(ErrorKind.None, (await other.CommitAsync(Put("a"), Cancel)).Kind);
        await Assert.ThrowsAnyAsync<DbException>(() => hold.ExecuteNonQueryAsync(Cancel));
    }

    [Fact]
    public async Task A_server_that_takes_no_writes_says_so_and_is_read_all_the_same()
    {
        await AppliedAsync(Put("a"));
        string database = DatabaseOf(Where);
        await RunAsync($"ALTER DATABASE {database} SET default_transaction_read_only = on");
        ZeroStorException opening = await ThrowsAsync(ErrorKind.Unavailable, () => OpenAsync());
        Assert.Contains("default_transaction_read_only", opening.Message, StringComparison.Ordinal);
        await EndOursAsync();
        CommitOrder put = Put("b");
        await ThrowsAsync(ErrorKind.Unavailable, () => Catalog.CommitAsync(put, Cancel));
        Assert.NotNull(await HeadAsync("a"));
        await Server.RunAsync($"ALTER DATABASE {database} RESET ALL");
        await AppliedAsync(put);
    }

    [Fact]
    public async Task A_transaction_that_is_ended_before_its_commit_is_run_again_by_itself()
    {
        await using DbConnection other = await ConnectAsync(Where);
        await using DbTransaction holding = await other.BeginTransactionAsync(Cancel);
        await using DbCommand command = other.CreateCommand();
        command.CommandText = "LOCK TABLE contents";
        await command.ExecuteNonQueryAsync(Cancel);
        Task<CommitAnswer> committing = Catalog.CommitAsync(Put("a"), Cancel);
        object?[] ended = [];
        while (ended.Length == 0)
        {
            ended = await RunAsync("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                + $"WHERE datname = '{DatabaseOf(Where)}' AND wait_event_type = 'Lock'");
        }

        Assert.Equal([true], ended);
        await holding.RollbackAsync(Cancel);
        Assert.Equal(ErrorKind.None, (await committing).Kind);
        Assert.NotNull(await HeadAsync("a"));
    }

    [Fact]
    public async Task No_name_stays_held()
    {
        await Task.WhenAll(Enumerable.Range(0, 50).Select(i => AppliedAsync(Put($"key {i % 20}"))));
        Assert.Empty(await RunAsync("SELECT name FROM held"));
    }

    [Fact]
    public async Task An_object_of_one_stripe_takes_at_most_900_bytes()
    {
        const int objects = 3_000;
        await Task.WhenAll(Enumerable.Range(0, objects).Select(
            i => AppliedAsync(Put($"photos/2026/{i * 7919 % objects:d6}.jpg", etag: Id128.ToHex((UInt128)i)))));
        long bytes = (long)(await RunAsync(
            "SELECT pg_total_relation_size('versions') + pg_total_relation_size('contents')"))[0]!;
        TestContext.Current.TestOutputHelper!.WriteLine($"{bytes / objects} bytes an object");
        Assert.InRange(bytes / objects, 1, 900);
    }

    /// <summary>Ends all connections of catalogs.</summary>
    private Task<object?> EndOursAsync() => Server.RunAsync("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        + $"WHERE datname = '{DatabaseOf(Where)}' AND application_name = 'zerostor'");

    private static string DatabaseOf(string where) => new NpgsqlConnectionStringBuilder(where).Database!;

    private static string With(string where, Action<NpgsqlConnectionStringBuilder> change)
    {
        var said = new NpgsqlConnectionStringBuilder(where);
        change(said);
        return said.ConnectionString;
    }

    private static async Task<object?> SettingAsync(DbConnection connection, string name = "synchronous_commit")
    {
        await using DbCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // The tests' own text.
        command.CommandText = $"SHOW {name}";
#pragma warning restore CA2100
        return await command.ExecuteScalarAsync(Cancel);
    }
}
