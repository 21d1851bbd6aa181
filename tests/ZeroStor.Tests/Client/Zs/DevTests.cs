using System.Diagnostics;
using System.Text;
using System.Text.Json;
using ZeroStor.CommandLine;
using ZeroStor.CommandLine.Dev;

namespace ZeroStor.Tests.Client.Zs;

/// <summary>What <c>zs dev</c> decides before it starts or ends a process.</summary>
public sealed class DevTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("zerostor-test-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Silos_are_dealt_to_the_sites_in_turn()
    {
        DevState state = StateOf(sites: 3);
        Assert.Equal(["1", "2", "3", "1", "2"], Enumerable.Range(1, 5).Select(state.SiteOf));
    }

    [Fact]
    public void What_is_known_of_a_fabric_is_kept_in_its_folder()
    {
        Assert.False(DevState.IsIn(_folder));
        Assert.Equal(ErrorKind.NotFound, Assert.Throws<ZeroStorException>(() => DevState.Load(_folder)).Kind);
        DevState state = StateOf().With(SiloOf(2)).With(SiloOf(1)).With(SiloOf(2) with { Pid = 77 });
        state.Save(_folder);
        DevState read = DevState.Load(_folder);
        Assert.Equal([SiloOf(1), SiloOf(2) with { Pid = 77 }], read.Silos);
        Assert.Equal(state, read with { Silos = state.Silos });
        File.WriteAllText(Path.Combine(_folder, "dev.json"), "{");
        Assert.Equal(ErrorKind.InvalidArgument, Assert.Throws<ZeroStorException>(() => DevState.Load(_folder)).Kind);
    }

    [Fact]
    public void Silos_are_chosen_by_number_by_site_or_all()
    {
        DevSilo[] silos = [SiloOf(1), SiloOf(2), SiloOf(3) with { Site = "b" }];
        Assert.Equal([silos[1]], DevVerbs.Choose(silos, [2], [], all: false));
        Assert.Equal([silos[0], silos[2]], DevVerbs.Choose(silos, [1], ["b"], all: false));
        Assert.Equal(silos, DevVerbs.Choose(silos, [], [], all: true));
        Assert.Equal(
            ErrorKind.NotFound,
            Assert.Throws<ZeroStorException>(() => DevVerbs.Choose(silos, [4], [], all: false)).Kind);
        Assert.Equal(
            ErrorKind.NotFound,
            Assert.Throws<ZeroStorException>(() => DevVerbs.Choose(silos, [], ["c"], all: false)).Kind);
    }

    [Fact]
    public void Too_few_disks_for_the_code_are_refused_with_what_would_be_enough()
    {
        DevVerbs.DemandRoom(3, 2, new Code(4, 2));
        DevVerbs.DemandRoom(28, 1, new Code(20, 4));
        ZeroStorException refusal = Assert.Throws<ZeroStorException>(
            () => DevVerbs.DemandRoom(5, 4, new Code(20, 4)));
        Assert.Equal(ErrorKind.PolicyUnsatisfiable, refusal.Kind);
        Assert.Contains("--disks-per-silo 5", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("""{"gateway":"elsewhere:1"}""")]
    public void The_context_is_taken_and_given_back(string? before)
    {
        string path = Path.Combine(_folder, "config", "context.json");
        if (before is not null)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, before);
        }

        DevContext.Take(path, _folder, ["127.0.0.1:1"]);
        DevContext.Take(path, _folder, ["127.0.0.1:1", "127.0.0.1:2"]);
        Assert.Equal(_folder, DevContext.Folder(path));
        Assert.Equal(
            ["127.0.0.1:1", "127.0.0.1:2"], Gateways.Choose(null, _ => null, _ => File.ReadAllText(path)));
        DevContext.GiveBack(path, _folder);
        Assert.Equal(before, File.Exists(path) ? File.ReadAllText(path) : null);
    }

    [Fact]
    public void A_context_that_somebody_else_wrote_meanwhile_stays()
    {
        string path = Path.Combine(_folder, "context.json");
        DevContext.Take(path, _folder, ["127.0.0.1:1"]);
        File.WriteAllText(path, "{}");
        DevContext.GiveBack(path, _folder);
        Assert.Equal("{}", File.ReadAllText(path));
    }

    [Fact]
    public void A_folder_that_holds_something_or_is_worked_on_is_refused()
    {
        var output = new Output(false, false, TextWriter.Null, Stream.Null, TextWriter.Null);
        string free = Path.Combine(_folder, "free");
        using (DevFabric.Make(free, StateOf(), output))
        {
            Assert.Equal(
                ErrorKind.Busy, Assert.Throws<ZeroStorException>(() => DevFabric.Open(free, output)).Kind);
        }

        Assert.Equal(
            ErrorKind.AlreadyExists,
            Assert.Throws<ZeroStorException>(() => DevFabric.Make(free, StateOf(), output)).Kind);
        Assert.Equal(
            ErrorKind.AlreadyExists,
            Assert.Throws<ZeroStorException>(() => DevFabric.Make(_folder, StateOf(), output)).Kind);
        DevFabric.Open(free, output).Dispose();
    }

    [Fact]
    public void A_process_number_that_was_given_to_another_program_is_none_of_ours()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "processes are looked up in /proc");
        string sign = Environment.GetCommandLineArgs()[0];
        string[] own = File.ReadAllText("/proc/self/cmdline").Split('\0');
        Assert.Contains(own, a => a.Length > 0);
        Assert.Equal(DevProcessState.Running, DevProcess.Look(Environment.ProcessId, own[0]));
        Assert.Equal(DevProcessState.Down, DevProcess.Look(Environment.ProcessId, sign + "/silo1"));
        Assert.Equal(DevProcessState.Down, DevProcess.Look(0, own[0]));
        Assert.True(DevProcess.ResidentBytes(Environment.ProcessId) > 1_000_000);
    }

    [Fact]
    public void A_process_that_changes_programs_is_there_all_the_while()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "processes are looked up in /proc");

        // Hundreds of programs, one after the other, in one process: in each change its command line is empty for
        // a moment.
        const string Chain = "[ $1 -gt 0 ] || exec sh -c 'read line' sh \"$2\"; exec sh -c \"$0\" \"$0\" $(($1 - 1)) \"$2\"";
        using Process process = Process.Start(
            new ProcessStartInfo("sh", ["-c", Chain, Chain, "300", _folder]) { RedirectStandardInput = true })!;
        try
        {
            string[] line;
            do
            {
                Assert.Equal(DevProcessState.Running, DevProcess.Look(process.Id, _folder));
                line = File.ReadAllText($"/proc/{process.Id}/cmdline").Split('\0');
            }
            while (!line.Contains("read line"));
        }
        finally
        {
            process.Kill();
        }
    }

    [Fact]
    public void The_silo_is_found_as_told_or_beside_zs_or_in_the_checkout()
    {
        string root = Path.Combine(_folder, "checkout");
        string zs = Path.Combine(root, "client", "zs", "bin", "Debug", "net10.0");
        Directory.CreateDirectory(zs);
        File.WriteAllText(Path.Combine(root, "ZeroStor.sln"), "");
        Assert.Equal(
            ErrorKind.NotFound, Assert.Throws<ZeroStorException>(() => DevPrograms.FindSilo(null, zs)).Kind);
        string built = Touch(root, "silo", "bin", "Debug", "net10.0", "ZeroStor.Silo");
        Touch(root, "silo", "bin", "Release", "net10.0", "ZeroStor.Silo");
        Assert.Equal(built, DevPrograms.FindSilo(null, zs));
        string beside = Touch(zs, "ZeroStor.Silo.dll");
        Assert.Equal(beside, DevPrograms.FindSilo(null, zs + Path.DirectorySeparatorChar));
        Assert.Equal(["dotnet", beside], DevPrograms.Command(beside));
        Assert.Equal(built, DevPrograms.FindSilo(built, zs));
        Assert.Equal(
            ErrorKind.NotFound,
            Assert.Throws<ZeroStorException>(() => DevPrograms.FindSilo(built + "x", zs)).Kind);
    }

    [Fact]
    public void PostgreSQL_is_taken_from_PATH_or_the_newest_that_Debian_has()
    {
        string debian = Path.Combine(_folder, "postgresql");
        Assert.Equal(
            ErrorKind.NotFound,
            Assert.Throws<ZeroStorException>(() => DevPrograms.FindPostgres(null, debian)).Kind);
        foreach (string folder in new[] { "9/bin", "15/bin", "mine" })
        {
            Array.ForEach(["initdb", "pg_ctl", "createdb"], p => Touch(debian, folder, p));
        }

        Assert.Equal(Path.Combine(debian, "15", "bin"), DevPrograms.FindPostgres("/nowhere:" + _folder, debian));
        string mine = Path.Combine(debian, "mine");
        Assert.Equal(mine, DevPrograms.FindPostgres("/nowhere:" + mine, debian));
    }

    [Fact]
    public void Ports_that_are_taken_are_not_given_again()
    {
        int[] first = DevPrograms.FreePorts(4, new HashSet<int>());
        Assert.Equal(4, first.Distinct().Count());
        Assert.Empty(DevPrograms.FreePorts(4, first.ToHashSet()).Intersect(first));
        Assert.Equal(
            ErrorKind.Unavailable,
            Assert.Throws<ZeroStorException>(
                () => DevPrograms.FreePorts(1, Enumerable.Range(0, 65536).ToHashSet())).Kind);
    }

    [Fact]
    public void A_silo_has_the_shape_that_scripts_rely_on()
    {
        using var target = new MemoryStream();
        using (var writer = new Utf8JsonWriter(target))
        {
            writer.WriteStartObject();
            DevVerbs.Write(writer, "/d", [(SiloOf(3) with { Pid = 9 }, DevProcessState.Paused, 7L)]);
            writer.WriteEndObject();
        }

        Assert.Equal(
            """{"data":"/d","silos":[{"number":3,"name":"silo3","site":"1","state":"paused","pid":9,"""
            + "\"gateway\":\"127.0.0.1:103\",\"residentBytes\":7,\"folder\":\"/d/silo3\"}]}",
            Encoding.UTF8.GetString(target.ToArray()));
    }

    private static string Touch(params string[] parts)
    {
        string path = Path.Combine(parts);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, "");
        return path;
    }

    private static DevState StateOf(int sites = 1) => new()
    {
        Code = "4+2", DisksPerSilo = 2, Sites = sites, SiloPath = "/silo", PostgresPrograms = "/postgres",
    };

    private static DevSilo SiloOf(int number) => new()
    {
        Number = number, Site = "1", Port = number, GatewayPort = 100 + number,
    };
}
