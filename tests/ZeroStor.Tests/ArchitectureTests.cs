using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace ZeroStor.Tests;

/// <summary>Who may know whom: between projects, read from the project files; within Core, read from its
/// sources. Each rule is a function of a file's text, so that a planted violation shows that it can
/// fail.</summary>
public sealed partial class ArchitectureTests
{
    private const string Core = "ZeroStor.Core";

    // Everything that ships, and the projects it may reference.
    private static readonly Dictionary<string, string[]> MayReference = new()
    {
        [Core] = [],
        ["ZeroStor.Contracts"] = [Core],
        ["ZeroStor.Catalog"] = [Core],
        ["ZeroStor.Grains"] = ["ZeroStor.Contracts", Core],
        ["ZeroStor.Client"] = ["ZeroStor.Contracts", Core],
        ["ZeroStor.S3"] = ["ZeroStor.Client"],
        ["zs"] = ["ZeroStor.Client"],
        ["ZeroStor.Silo"] =
            ["ZeroStor.Grains", "ZeroStor.Catalog", "ZeroStor.S3", "ZeroStor.Contracts", Core],
    };

    // The folders of Core, and the ones whose namespaces they may name. "" is the root, whose types are for
    // all.
    private static readonly Dictionary<string, string[]> MayName = new()
    {
        [""] = [],
        ["Paths"] = ["Sealing", "Erasure", "Placement"],
        ["Sealing"] = [],
        ["Erasure"] = [],
        ["Volumes"] = [],
        ["Placement"] = [],
    };

    // The folders of the S3 front end, in the same way. Its root is what all of them share.
    private static readonly Dictionary<string, string[]> S3MayName = new()
    {
        [""] = ["Errors"],
        ["Errors"] = [],
        ["Signing"] = ["Errors"],
        ["Bodies"] = ["Errors", "Signing"],
        ["Protocol"] = ["Errors"],
        ["Listing"] = ["Errors", "Bodies"],
        ["Xml"] = ["Errors", "Bodies", "Protocol", "Listing"],
        ["Operations"] = ["Errors", "Signing", "Bodies", "Protocol", "Listing", "Xml"],
        ["Hosting"] = ["Errors", "Signing", "Protocol", "Xml", "Operations"],
    };

    // By the methods' names, since a member may well be called File.
    private static readonly Regex OperatingSystemCalls = new(
        $@"(?<![\w.])(File\.({Statics(typeof(File))})|Directory\.({Statics(typeof(Directory))}))\b"
        + @"|\bIO\.(File|Directory)\b"
        + @"|\b(FileStream|FileInfo|DirectoryInfo|DriveInfo|RandomAccess|DllImport|LibraryImport)\b");

    [Fact]
    public void References_point_one_way() => Assert.Empty(Projects()
        .Where(p => !IsTest(p))
        .SelectMany(p => ReferenceViolations(p, XDocument.Load(Checkout.PathOf(p)))));

    [Fact]
    public void Every_project_file_is_in_the_solution_and_the_other_way_round() => Assert.Equal(
        FilesUnder(Checkout.Root, "*.csproj").Order(StringComparer.Ordinal),
        Projects().Order(StringComparer.Ordinal));

    [Fact]
    public void Core_knows_its_inner_order_and_nothing_of_the_outside_world()
    {
        string core = Checkout.PathOf("src", Core);
        string[] sources = [.. FilesUnder(core, "*.cs")];
        Assert.Contains("Ports.cs", sources);
        Assert.Empty(sources.SelectMany(s => SourceViolations(s, File.ReadAllText(Path.Combine(core, s)))));
    }

    [Fact]
    public void The_S3_front_end_knows_its_inner_order()
    {
        string front = Checkout.PathOf("client", "ZeroStor.S3");
        string[] sources = [.. FilesUnder(front, "*.cs")];
        Assert.Contains("Signing/SignatureVerifier.cs", sources);
        Assert.Empty(sources.SelectMany(s => FolderViolations(
            s, WithoutComments(File.ReadAllText(Path.Combine(front, s))), "ZeroStor.S3", S3MayName)));
    }

    [Theory]
    [InlineData("Signing/X.cs", "using ZeroStor.S3.Bodies;")]
    [InlineData("Errors/X.cs", "using ZeroStor.S3.Protocol;")]
    [InlineData("Protocol/X.cs", "Xml.ErrorAnswer.Write();")]
    [InlineData("Percent.cs", "using ZeroStor.S3.Signing;")]
    [InlineData("Novel/X.cs", "")]
    public void A_planted_line_of_the_S3_front_end_is_found(string path, string line) =>
        Assert.NotEmpty(FolderViolations(path, line, "ZeroStor.S3", S3MayName));

    [Theory]
    [InlineData(Core, "ProjectReference", "../ZeroStor.Contracts/ZeroStor.Contracts.csproj")]
    [InlineData(Core, "PackageReference", "Microsoft.Orleans.Sdk")]
    [InlineData(Core, "PackageReference", "Npgsql")]
    [InlineData(Core, "PackageReference", "Microsoft.Data.Sqlite")]
    [InlineData(Core, "PackageReference", "System.Net.Http.Json")]
    [InlineData(Core, "FrameworkReference", "Microsoft.AspNetCore.App")]
    [InlineData("ZeroStor.Contracts", "ProjectReference", "../ZeroStor.Grains/ZeroStor.Grains.csproj")]
    [InlineData("ZeroStor.Catalog", "ProjectReference", @"..\ZeroStor.Contracts\ZeroStor.Contracts.csproj")]
    [InlineData("ZeroStor.Grains", "ProjectReference", "../ZeroStor.Catalog/ZeroStor.Catalog.csproj")]
    [InlineData("ZeroStor.Client", "ProjectReference", "../../src/ZeroStor.Grains/ZeroStor.Grains.csproj")]
    [InlineData("ZeroStor.S3", "ProjectReference", "../../src/ZeroStor.Core/ZeroStor.Core.csproj")]
    [InlineData("zs", "ProjectReference", "../../src/ZeroStor.Contracts/ZeroStor.Contracts.csproj")]
    [InlineData("ZeroStor.Silo", "ProjectReference", "../client/zs/zs.csproj")]
    [InlineData("ZeroStor.Silo", "Reference", "lib/ZeroStor.Client.dll")]
    [InlineData("ZeroStor.Other", "PackageReference", "CsCheck")]
    public void A_planted_reference_is_found(string project, string item, string include)
    {
        XDocument file = new(new XElement("Project", new XElement(item, new XAttribute("Include", include))));
        Assert.NotEmpty(ReferenceViolations($"somewhere/{project}.csproj", file));
    }

    [Fact]
    public void References_that_may_be_are_not_found()
    {
        var file = XDocument.Parse("""
            <Project><ItemGroup>
              <PackageReference Include="Microsoft.Orleans.Server" />
              <ProjectReference Include="..\ZeroStor.Core\ZeroStor.Core.csproj" />
              <ProjectReference Include="../ZeroStor.Contracts/ZeroStor.Contracts.csproj" />
            </ItemGroup></Project>
            """);
        Assert.Empty(ReferenceViolations("src/ZeroStor.Grains/ZeroStor.Grains.csproj", file));
    }

    [Theory]
    [InlineData("Sealing/X.cs", "using ZeroStor.Erasure;")]
    [InlineData("Sealing/X.cs", "using static ZeroStor.Volumes.Record;")]
    [InlineData("Erasure/X.cs", "var x = new Sealing.MasterKey();")]
    [InlineData("Volumes/X.cs", "global::ZeroStor.Placement.Chooser.Choose();")]
    [InlineData("Placement/X.cs", "using ZeroStor.Paths;")]
    [InlineData("Placement/Deep/X.cs", "using ZeroStor.Volumes;")]
    [InlineData("Paths/X.cs", "using ZeroStor.Volumes;")]
    [InlineData("Ids.cs", "using ZeroStor.Sealing;")]
    [InlineData("Sealing/X.cs", "namespace ZeroStor.Volumes;")]
    [InlineData("Novel/X.cs", "")]
    [InlineData("Volumes/Disk.cs", "File.Delete(path);")]
    [InlineData("Volumes/Disk.cs", "System.IO.File.Delete(path);")]
    [InlineData("Volumes/Disk.cs", "using static System.IO.Directory;")]
    [InlineData("Volumes/Disk.cs", "if (Directory.Exists(path)) { }")]
    [InlineData("Volumes/Disk.cs", "using FileStream file = Open();")]
    [InlineData("Volumes/Disk.cs", "new FileInfo(path).Delete();")]
    [InlineData("Volumes/Disk.cs", "RandomAccess.Write(handle, bytes, 0);")]
    [InlineData("Erasure/X.cs", "[DllImport(\"libc\")]")]
    [InlineData("Sealing/X.cs", "[LibraryImport(\"libc\")]")]
    [InlineData("Sealing/OsFile.cs", "File.Delete(path);")]
    [InlineData("Paths/X.cs", "using Orleans;")]
    [InlineData("Paths/X.cs", "using System.Net.Http;")]
    [InlineData("Paths/X.cs", "using Microsoft.Extensions.Logging;")]
    [InlineData("Ports.cs", "using System.Data.Common;")]
    [InlineData("Paths/X.cs", "long now = Stopwatch.GetTimestamp();")]
    [InlineData("Paths/X.cs", "TimeProvider time = TimeProvider.System;")]
    [InlineData("Sealing/X.cs", "RandomNumberGenerator.Fill(key);")]
    [InlineData("Paths/X.cs", "int die = new Random(6).Next();")]
    public void A_planted_line_is_found(string path, string line) =>
        Assert.NotEmpty(SourceViolations(path, $"namespace ZeroStor;\n\n{line}\n"));

    [Theory]
    [InlineData("Paths/X.cs", "using ZeroStor.Sealing; using ZeroStor.Erasure; using ZeroStor.Placement;")]
    [InlineData("Sealing/X.cs", "namespace ZeroStor.Sealing; // unlike Erasure.Kernel or ZeroStor.Volumes")]
    [InlineData("Sealing/X.cs", "/* File.Delete(x) */ Say(\"a://b\"); /// <see cref=\"FileStream\"/>")]
    [InlineData("Volumes/X.cs", "int x = location.File.Length + map.Placement.Count + OsFile.Open(path);")]
    [InlineData("Volumes/X.cs", "private OsFile File { get; } = file; void End() => File.Truncate(0);")]
    [InlineData("Volumes/OsFile.cs", "[LibraryImport(\"libc\")] void Sync() => File.Delete(path);")]
    [InlineData("Volumes/X.cs", "using Microsoft.Win32.SafeHandles;")]
    [InlineData("Ports.cs", "/// <summary>time comes through TimeProvider</summary> TimeProvider time;")]
    public void What_may_be_is_not_found(string path, string line) =>
        Assert.Empty(SourceViolations(path, line));

    [Fact]
    public void Nobody_but_tests_can_plant_a_defect()
    {
        Assert.Empty(CarriersOf(typeof(PlantedDefects)));
        Assert.NotEmpty(CarriersOf(typeof(DiskState)));
        string[] friends =
        [
            .. typeof(PlantedDefects).Assembly
                .GetCustomAttributes<System.Runtime.CompilerServices.InternalsVisibleToAttribute>()
                .Select(a => a.AssemblyName),
        ];
        Assert.Equal(["ZeroStor.Benchmarks", "ZeroStor.Tests"], friends.Order(StringComparer.Ordinal));
        string core = Checkout.PathOf("src", Core);
        Assert.Empty(FilesUnder(core, "*.cs")
            .SelectMany(s => PlantingViolations(s, File.ReadAllText(Path.Combine(core, s)))));
    }

    [Theory]
    [InlineData("Planted = PlantedDefects.AnswersBeforeSync")]
    [InlineData("Planted = (PlantedDefects)1")]
    [InlineData("var options = given with { Planted = setting };")]
    public void A_planting_in_the_product_is_found(string line) =>
        Assert.NotEmpty(PlantingViolations("X.cs", line));

    private static IEnumerable<string> ReferenceViolations(string project, XDocument file)
    {
        string name = Path.GetFileNameWithoutExtension(project);
        if (!MayReference.TryGetValue(name, out string[]? allowed))
        {
            yield return $"{project} ships, and no rule here says what it may reference.";
            yield break;
        }

        foreach (string reference in Included(file, "ProjectReference").Concat(Included(file, "Reference"))
            .Select(r => Path.GetFileNameWithoutExtension(r.Replace('\\', '/')))
            .Where(r => !allowed.Contains(r)))
        {
            yield return $"{project} references {reference}; it may reference {string.Join(", ", allowed)}.";
        }

        if (name == Core)
        {
            foreach (string package in Included(file, "PackageReference")
                .Where(p => OutsideWorld().IsMatch(p))
                .Concat(Included(file, "FrameworkReference")))
            {
                yield return $"{project} references {package}: Core knows no Orleans, HTTP or SQL.";
            }
        }
    }

    /// <param name="path">Relative to the folder of Core.</param>
    /// <param name="source">The file's text.</param>
    private static IEnumerable<string> SourceViolations(string path, string source)
    {
        string code = WithoutComments(source);
        foreach (string violation in FolderViolations(path, code, "ZeroStor", MayName))
        {
            yield return violation;
        }

        if (path is not ("Volumes/OsFile.cs" or "HugePages.cs") && OperatingSystemCalls.Match(code) is { Success: true } call)
        {
            yield return $"{path} says '{call.Value}': OsFile and HugePages alone touch the OS.";
        }

        if (OutsideWorldOrChance().Match(code) is { Success: true } outside)
        {
            yield return $"{path} says '{outside.Value}': Core has its world from Ports.cs.";
        }
    }

    /// <param name="path">Relative to the folder of the project.</param>
    /// <param name="code">The file's text without comments.</param>
    /// <param name="root">The namespace of the project's root.</param>
    /// <param name="mayName">The project's folders, and which others each may name.</param>
    private static IEnumerable<string> FolderViolations(
        string path, string code, string root, Dictionary<string, string[]> mayName)
    {
        string folder = path.Contains('/', StringComparison.Ordinal) ? path[..path.IndexOf('/')] : "";
        if (!mayName.TryGetValue(folder, out string[]? allowed))
        {
            yield return $"{path} lies in a folder that no rule here knows.";
            yield break;
        }

        foreach (string other in mayName.Keys.Where(f => f.Length > 0 && f != folder && !allowed.Contains(f)))
        {
            if (Regex.IsMatch(code, $@"\b{Regex.Escape(root)}\.{other}\b|(?<![\w.]){other}\.\w"))
            {
                yield return $"{path} names {other}; it may name {string.Join(", ", allowed)} and the root.";
            }
        }
    }

    private static string WithoutComments(string source) =>
        Comments().Replace(source, m => m.Value.StartsWith('/') ? " " : m.Value);

    /// <summary>What of Core the outside world sees that is, takes or gives this type.</summary>
    private static IEnumerable<string> CarriersOf(Type type) =>
        from seen in type.Assembly.GetExportedTypes()
        from member in seen.GetMembers()
        where seen == type || TypesOf(member).Contains(type)
        select $"{seen}.{member.Name}";

    private static IEnumerable<Type> TypesOf(MemberInfo member) => member switch
    {
        FieldInfo field => [field.FieldType],
        PropertyInfo property => [property.PropertyType],
        MethodInfo method => method.GetParameters().Select(p => p.ParameterType).Append(method.ReturnType),
        ConstructorInfo made => made.GetParameters().Select(p => p.ParameterType),
        _ => [],
    };

    // The product may ask whether a defect is planted, and hand the answer on.
    private static IEnumerable<string> PlantingViolations(string path, string source) =>
        Plantings().Matches(source).Select(m => $"{path} says '{m.Value}': only tests plant defects.");

    private static IEnumerable<string> Projects() => ProjectLines()
        .Matches(File.ReadAllText(Checkout.PathOf("ZeroStor.sln")))
        .Select(m => m.Groups[1].Value.Replace('\\', '/'));

    private static string Statics(Type type) => string.Join(
        '|', type.GetMethods(BindingFlags.Static | BindingFlags.Public).Select(m => m.Name).Distinct());

    private static bool IsTest(string project) => project.StartsWith("tests/", StringComparison.Ordinal);

    private static IEnumerable<string> Included(XDocument file, string item) => file.Descendants()
        .Where(e => e.Name.LocalName == item)
        .Select(e => (string?)e.Attribute("Include"))
        .OfType<string>();

    private static IEnumerable<string> FilesUnder(string folder, string pattern) => Directory
        .EnumerateFiles(folder, pattern, SearchOption.AllDirectories)
        .Select(f => Path.GetRelativePath(folder, f).Replace('\\', '/'))
        .Where(f => !BuildOutput().IsMatch(f));

    // Strings are matched, too, so that what looks like a comment in one is left alone.
    [GeneratedRegex(""""
        """.*?"""|@"(?:[^"]|"")*"|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])+'|//[^\n]*|/\*.*?\*/
        """", RegexOptions.Singleline)]
    private static partial Regex Comments();

    [GeneratedRegex(@"\bOrleans\b|\bSystem\.(Net|Data)\b|\bMicrosoft\.(?!Win32\.SafeHandles)\w|\bNpgsql\b"
        + @"|\b(Stopwatch|TickCount64|TickCount|RandomNumberGenerator|new Random|TimeProvider\.System)\b")]
    private static partial Regex OutsideWorldOrChance();

    [GeneratedRegex(
        @"Orleans|AspNetCore|\bHttp\b|Hosting|Sqlite|Npgsql|SqlClient|EntityFramework|^Microsoft\.Data",
        RegexOptions.IgnoreCase)]
    private static partial Regex OutsideWorld();

    [GeneratedRegex("""^Project\(.*"([^"]+\.csproj)"\s*,""", RegexOptions.Multiline)]
    private static partial Regex ProjectLines();

    [GeneratedRegex(
        @"\bPlanted\s*=(?!\s*Planted\b)|(?<!HasFlag\()PlantedDefects\.(?!None\b)\w+|\(PlantedDefects\)")]
    private static partial Regex Plantings();

    [GeneratedRegex(@"(^|/)(bin|obj|\.git)/")]
    private static partial Regex BuildOutput();
}
