using System.Data.Common;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Time.Testing;
using ZeroStor.Catalog;

namespace ZeroStor.Tests.Catalog;

public sealed class SqliteCatalogTests : CatalogTests
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("zerostor-catalog-");
    private int _others;

    private string DatabasePath => Path.Combine(_folder.FullName, "catalog.db");

    private protected override int Sequences => 150;

    private protected override Task<string> MakeFirstAsync() => Task.FromResult(DatabasePath);

    private protected override Task<string> MakeEmptyAsync() => Task.FromResult(OtherPath());

    private protected override Task<SqlCatalog> OpenAsync(string where, CatalogOptions? options = null) =>
        SqliteCatalog.OpenAsync(where, Entropy, TimeProvider.System, options, Cancel);

    private protected override async Task<DbConnection> ConnectAsync(string where)
    {
        var connection = new SqliteConnection($"Data Source={where};Pooling=False");
        await connection.OpenAsync(Cancel);
        return connection;
    }

    private protected override ValueTask RemoveAsync()
    {
        SqliteConnection.ClearAllPools();
        _folder.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task The_file_is_its_owners_alone()
    {
        if (!OperatingSystem.IsWindows())
        {
            await AppliedAsync(Put("a"));
            Assert.All(
                _folder.GetFiles(),
                file => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, file.UnixFileMode));
        }
    }

    [Fact]
    public async Task Commits_are_synced_to_a_write_ahead_log()
    {
        var database = new SqliteDatabase(DatabasePath, new CatalogOptions());
        await using var connection = (SqliteConnection)await database.ConnectAsync(forWriting: true, Cancel);
        Assert.Equal("wal", Scalar(connection, "PRAGMA journal_mode"));
        Assert.Equal(2L, Scalar(connection, "PRAGMA synchronous"));
    }

    [Fact]
    public async Task A_log_that_a_dead_process_left_is_durable_before_a_repeated_change_is_acknowledged()
    {
        // As after kill -9, or a failed sync: the commit is whole in the log, and nobody knows whether on the disk.
        CommitOrder put = Put("a");
        await AppliedAsync(put);
        string left = OtherPath();
        foreach (string suffix in (string[])["", "-wal"])
        {
            File.Copy(DatabasePath + suffix, left + suffix);
        }

        await Assert.ThrowsAsync<ZeroStorException>(() => HeadAloneAsync(left, "a"));
        await using (SqlCatalog catalog = await OpenAsync(left))
        {
            Assert.Equal(ErrorKind.None, (await catalog.CommitAsync(put, Cancel)).Kind);

            // All of it is in the database itself, and the log, which a power cut may tear, holds nothing of it.
            Assert.NotNull(await HeadAloneAsync(left, "a"));
        }
    }

    [Fact]
    public async Task A_log_that_is_being_read_cannot_be_settled_and_later_can()
    {
        CommitOrder put = Put("a");
        await AppliedAsync(put);
        await using SqliteConnection reader = OpenRaw();
        Run(reader, "BEGIN");
        Assert.NotNull(Scalar(reader, "SELECT count(*) FROM sqlite_master"));
        await AppliedAsync(Put("b"));
        var hasty = new CatalogOptions { LockPatience = TimeSpan.FromMilliseconds(20) };
        ZeroStorException error = await ThrowsAsync(ErrorKind.Unavailable, () => OpenAsync(DatabasePath, hasty));
        Assert.Contains("read by others", error.Message, StringComparison.Ordinal);
        Run(reader, "ROLLBACK");
        await using SqlCatalog second = await OpenAsync(DatabasePath, hasty);
        Assert.NotNull((await second.HeadAsync(Vault, ["b"], Cancel))[0]);
    }

    [Fact]
    public async Task What_is_no_database_is_refused()
    {
        string garbage = OtherPath();
        await File.WriteAllTextAsync(garbage, new string('x', 10_000), Cancel);
        ZeroStorException error = await ThrowsAsync(ErrorKind.Corrupt, () => OpenAsync(garbage));
        Assert.Contains(garbage, error.Message, StringComparison.Ordinal);
        Assert.Equal(new string('x', 10_000), await File.ReadAllTextAsync(garbage, Cancel));
    }

    [Fact]
    public async Task A_folder_that_is_not_there_is_named()
    {
        string path = Path.Combine(_folder.FullName, "none", "catalog.db");
        ZeroStorException error = await ThrowsAsync(ErrorKind.Unavailable, () => OpenAsync(path));
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_full_disk_keeps_what_was_acknowledged_and_nothing_by_half()
    {
        string path = OtherPath();
        var acknowledged = new List<CommitOrder>();
        CommitOrder failed = Put("never");
        await using (SqlCatalog small = await OpenAsync(path, new CatalogOptions { MaxPages = 60 }))
        {
            await small.AddVaultAsync(new VaultEntry("vault", Vault, new ClassId(1)), Cancel);
            ZeroStorException? full = null;
            while (full is null)
            {
                failed = Put($"key {acknowledged.Count}") with { Pages = [(0, new byte[3_000])] };
                try
                {
                    Assert.Equal(ErrorKind.None, (await small.CommitAsync(failed, Cancel)).Kind);
                    acknowledged.Add(failed);
                }
                catch (ZeroStorException error)
                {
                    full = error;
                }
            }

            Assert.Equal(ErrorKind.DiskFull, full.Kind);
            Assert.NotEmpty(acknowledged);
            await AssertHoldsAsync(small, acknowledged, failed);
        }

        await using SqlCatalog roomy = await OpenAsync(path);
        await AssertHoldsAsync(roomy, acknowledged, failed);
        Assert.Equal(ErrorKind.None, (await roomy.CommitAsync(failed, Cancel)).Kind);
    }

    [Fact]
    public async Task Another_transaction_that_does_not_end_is_unavailable_and_the_next_commit_goes_through()
    {
        await using SqlCatalog hasty = await OpenAsync(
            DatabasePath, new CatalogOptions { LockPatience = TimeSpan.FromMilliseconds(20) });
        await using SqliteConnection other = OpenRaw();
        Run(other, "BEGIN IMMEDIATE");
        CommitOrder put = Put("a");
        await ThrowsAsync(ErrorKind.Unavailable, () => hasty.CommitAsync(put, Cancel));
        Assert.Single(await hasty.HeadAsync(Vault, ["a"], Cancel));
        Run(other, "ROLLBACK");
        Assert.Equal(ErrorKind.None, (await hasty.CommitAsync(put, Cancel)).Kind);
    }

    [Fact]
    public async Task Nobody_waits_longer_than_the_patience()
    {
        var time = new FakeTimeProvider();
        await using SqlCatalog catalog = await SqliteCatalog.OpenAsync(
            DatabasePath, Entropy, time, cancel: Cancel);
        await using SqliteConnection other = OpenRaw();
        Run(other, "BEGIN IMMEDIATE");
        CommitOrder put = Put("a");
        Task<CommitAnswer> waiting = catalog.CommitAsync(put, Cancel);
        time.Advance(new CatalogOptions().Patience);
        await ThrowsAsync(ErrorKind.Unavailable, () => waiting);
        Run(other, "ROLLBACK");
        Assert.Equal(ErrorKind.None, (await catalog.CommitAsync(put, Cancel)).Kind);
    }

    [Fact]
    public async Task An_object_of_one_stripe_takes_at_most_600_bytes()
    {
        const int objects = 3_000;
        await PutManyAsync(objects);
        long rows = (await Catalog.CountAsync(Cancel)).Versions;
        Assert.Equal(objects, rows);
        await Catalog.DisposeAsync();
        long bytesEach = new FileInfo(DatabasePath).Length / objects;
        TestContext.Current.TestOutputHelper!.WriteLine($"{bytesEach} bytes an object");
        Assert.InRange(bytesEach, 1, 600);
    }

    [Fact]
    public async Task Orleans_storage_works_beside_it_and_one_grain_has_one_row()
    {
        await using var orleans = new SqliteConnection(Catalog.ConnectionString);
        orleans.Open();
        Assert.Equal(2L, Scalar(orleans, "PRAGMA synchronous"));
        string write = (string)Scalar(
            orleans, "SELECT QueryText FROM OrleansQuery WHERE QueryKey = 'WriteToStorageKey'")!;
        Assert.Equal(1L, WriteState(orleans, write, null));
        await AppliedAsync(Put("between"));
        Assert.Equal(2L, WriteState(orleans, write, 1));
        Assert.Null(WriteState(orleans, write, null));
        Assert.Equal(1L, Scalar(orleans, "SELECT COUNT(*) FROM OrleansStorage"));
        SqliteException twice = Assert.Throws<SqliteException>(
            () => Run(orleans, "INSERT INTO OrleansStorage SELECT * FROM OrleansStorage"));
        Assert.Equal(19, twice.SqliteErrorCode);
    }

    private static async Task AssertHoldsAsync(
        SqlCatalog catalog, List<CommitOrder> acknowledged, CommitOrder failed)
    {
        var heads = await catalog.HeadAsync(Vault, [.. acknowledged.Select(o => o.Key), failed.Key], Cancel);
        Assert.All(heads[..^1], Assert.NotNull);
        Assert.Null(heads[^1]);
        Assert.Null(await catalog.ReadPageAsync(failed.Content, 0, Cancel));
        Assert.Equal(
            new CatalogCounts(acknowledged.Count, 0, acknowledged.Count, 0),
            await catalog.CountAsync(Cancel));
    }

    private static object? WriteState(SqliteConnection connection, string write, int? version)
    {
        using SqliteCommand command = Command(connection, write);
        command.Parameters.AddWithValue("@GrainIdHash", 1);
        command.Parameters.AddWithValue("@GrainIdN0", 2L);
        command.Parameters.AddWithValue("@GrainIdN1", 3L);
        command.Parameters.AddWithValue("@GrainTypeHash", 4);
        command.Parameters.AddWithValue("@GrainTypeString", "vault");
        command.Parameters.AddWithValue("@GrainIdExtensionString", DBNull.Value);
        command.Parameters.AddWithValue("@ServiceId", "zerostor");
        command.Parameters.AddWithValue("@GrainStateVersion", (object?)version ?? DBNull.Value);
        command.Parameters.AddWithValue("@PayloadBinary", new byte[] { 1, 2, 3 });
        return command.ExecuteScalar();
    }

    private static object? Scalar(SqliteConnection connection, string sql)
    {
        using SqliteCommand command = Command(connection, sql);
        return command.ExecuteScalar();
    }

    private static void Run(SqliteConnection connection, string sql)
    {
        using SqliteCommand command = Command(connection, sql);
        command.ExecuteNonQuery();
    }

    private static SqliteCommand Command(SqliteConnection connection, string sql)
    {
        SqliteCommand command = connection.CreateCommand();
#pragma warning disable CA2100 // The tests' own text.
        command.CommandText = sql;
#pragma warning restore CA2100
        return command;
    }

    private async Task PutManyAsync(int objects)
    {
        // In no order of the keys, as they come in life: pages of the tree are split, not only added.
        CommitOrder[] orders =
        [
            .. Enumerable.Range(0, objects).Select(
                i => Put($"photos/2026/{i * 7919 % objects:d6}.jpg", etag: Id128.ToHex((UInt128)i))),
        ];
        CommitAnswer[] answers = await Task.WhenAll(orders.Select(o => Catalog.CommitAsync(o, Cancel)));
        Assert.All(answers, answer => Assert.Equal(ErrorKind.None, answer.Kind));
    }

    private SqliteConnection OpenRaw()
    {
        var connection = new SqliteConnection($"Data Source={DatabasePath};Pooling=False");
        connection.Open();
        return connection;
    }

    // The database file without its log.
    private async Task<VersionRow?> HeadAloneAsync(string path, string key)
    {
        string alone = OtherPath();
        File.Copy(path, alone);
        await using SqlCatalog catalog = await OpenAsync(alone);
        return (await catalog.HeadAsync(Vault, [key], Cancel))[0];
    }

    private string OtherPath() => Path.Combine(_folder.FullName, $"other-{_others++}.db");
}
